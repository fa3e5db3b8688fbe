import { describe, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { entriesOf } from "../conformance/samples.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { initialized, rig, type RigOptions } from "./rig.ts";

type Relay = Awaited<ReturnType<typeof rig>>;

async function asked(options: RigOptions = {}) {
  const relay = await rig(options);
  const sessionId = await relay.newSession();
  const ask = (text: string) =>
    relay.client.request("session/prompt", { sessionId, prompt: [{ type: "text", text }] });
  return { relay, sessionId, ask };
}

function textsIn({ updates }: Relay): string[] {
  return updates.flatMap(({ update }) => {
    const { sessionUpdate, content } = update as { sessionUpdate: string; content?: { text?: string } };
    return sessionUpdate === "agent_message_chunk" ? [content?.text ?? ""] : [];
  });
}

const own = { "acp-sidecar": { origin: "sidecar" } };

describe("/sidecar in a prompt", () => {
  it("is answered and journaled as a turn of ours, and the agent hears nothing of it [REQ commands-ours]", async () => {
    const store = openMemoryStore();
    const { relay, sessionId, ask } = await asked({ store });
    expect(await ask("/sidecar help")).toEqual({ stopReason: "end_turn", _meta: own });
    expect(textsIn(relay)[0]).toContain("/sidecar rename TITLE");
    expect(relay.updates[0]?._meta).toEqual(own);
    expect(relay.agents[0]?.heardOf("session/prompt")).toEqual([]);
    const entries = await entriesOf(store, sessionId as SessionId);
    expect(entries.map(({ kind }) => kind)).toEqual(["prompt", "update", "end"]);
    for (const { data } of entries) expect(JSON.parse(data)).toMatchObject({ _meta: own });
    const record = await store.get(sessionId as SessionId);
    expect([record?.title, record?.sealedSeq]).toEqual([undefined, 3]);
    await relay.close();
  });

  it("renames, forks and counts", async () => {
    const store = openMemoryStore();
    const script = {
      "session/prompt": () => ({
        stopReason: "end_turn",
        usage: { inputTokens: 1000, outputTokens: 20, totalTokens: 1020 },
      }),
    };
    const { relay, sessionId, ask } = await asked({ store, script });
    await ask("hello");
    await ask("/sidecar rename  A better one");
    expect((await store.get(sessionId as SessionId))?.title).toBe("A better one");
    expect(relay.updates.map(({ update }) => update)).toContainEqual({
      sessionUpdate: "session_info_update",
      title: "A better one",
    });
    await ask("/sidecar USAGE");
    expect(textsIn(relay).at(-1)).toContain("1 turn; 1,020 tokens (1,000 in, 20 out)");
    await ask("/sidecar fork");
    const registry = new SessionRegistry({ store });
    const [fork] = (await registry.list()).items.filter(({ lineage }) => lineage !== undefined);
    expect(textsIn(relay).at(-1)).toContain(fork?.id);
    expect(relay.agents[0]?.heardOf("session/prompt")).toHaveLength(1);
    await relay.close();
  });

  it("says what is wrong as its answer, and fails where the store does", async () => {
    let isBroken = false;
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      update: (id, patch, lease) => {
        if (isBroken) throw Object.assign(new Error("broken"), { code: "STORE_FAILED" });
        return inner.update(id, patch, lease);
      },
    });
    const { relay, ask } = await asked({ store });
    await ask("/sidecar fly");
    expect(textsIn(relay).at(-1)).toContain("allowed: rename, fork, usage, help");
    await ask("/sidecar rename");
    expect(textsIn(relay).at(-1)).toContain("must not be empty");
    isBroken = true;
    await expect(ask("/sidecar rename x")).rejects.toMatchObject({ message: expect.any(String) as string });
    isBroken = false;
    expect(await ask("/sidecar help")).toMatchObject({ stopReason: "end_turn" });
    await relay.close();
  });

  it("is the agent's where it is switched off, says more, or the agent has such a command", async () => {
    const list = { sessionUpdate: "available_commands_update", availableCommands: [{ name: "sidecar" }] };
    const off = await asked({ relay: { commands: "off" } });
    await off.ask("/sidecar help");
    expect(off.relay.agents[0]?.heardOf("session/prompt")).toHaveLength(1);
    await off.relay.close();
    const theirs = await asked();
    await theirs.relay.agents[0]?.update("agent-1", list);
    await theirs.ask("/sidecars help");
    await theirs.ask("/sidecar help");
    expect(theirs.relay.agents[0]?.heardOf("session/prompt")).toHaveLength(2);
    expect(theirs.relay.updates[0]?.update).toEqual(list);
    await theirs.relay.close();
  });

  it("is left out of a handover", async () => {
    const { relay, sessionId, ask } = await asked();
    await ask("what counts");
    await ask("/sidecar rename Secret title");
    await relay.client.request("session/close", { sessionId });
    await relay.load(sessionId);
    await ask("and now");
    const [, second] = relay.agents[0]?.heardOf("session/prompt") ?? [];
    const told = JSON.stringify(second);
    expect(told).toContain("what counts");
    expect(told).not.toContain("Secret title");
    expect(told).not.toContain("/sidecar");
    await relay.close();
  });
});

describe("the agent's slash commands", () => {
  it("have ours behind them, live and on load, and the journal has the agent's own [REQ commands-offered]", async () => {
    const store = openMemoryStore();
    const theirs = [{ name: "plan", description: "d" }];
    const { relay, sessionId, ask } = await asked({ store, script: { initialize: initialized() } });
    await relay.agents[0]?.update("agent-1", {
      sessionUpdate: "available_commands_update",
      availableCommands: theirs,
    });
    await ask("hello");
    const listIn = ({ updates }: Relay) =>
      updates
        .map(({ update }) => update)
        .findLast(({ sessionUpdate }) => sessionUpdate.startsWith("available"));
    const merged = { availableCommands: [...theirs, { name: "sidecar" }] };
    expect(listIn(relay)).toMatchObject(merged);
    const data = (await entriesOf(store, sessionId as SessionId)).map((entry) => entry.data).join("");
    expect(data).not.toContain('"name":"sidecar"');
    relay.updates.length = 0;
    await relay.client.request("session/close", { sessionId });
    await relay.load(sessionId);
    expect(listIn(relay)).toMatchObject(merged);
    await relay.close();
  });
});
