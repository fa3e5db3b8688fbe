import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { SessionRegistry } from "../../../src/session/registry.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { entriesOf } from "../../conformance/samples.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import { textOf } from "../../../src/acp/content.ts";
import { scratchFolder } from "../../cli/harness.ts";
import { gate, rig, until, type RigOptions } from "../rig.ts";

type Relay = Awaited<ReturnType<typeof rig>>;

async function asked(options: RigOptions = {}) {
  const relay = await rig({ ...options, relay: { commands: "on", ...options.relay } });
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
    expect(relay.updates.at(-1)?._meta).toEqual(own);
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

  it("finds what was said elsewhere, as text whatever it was, and never itself", async () => {
    const store = openMemoryStore();
    const registry = new SessionRegistry({ store });
    const other = await registry.create({ cwd: "/other", title: "Of `lanterns`\u001b[31m" });
    await registry.addMessage(other.id, { role: "user", content: "a ![lantern](http://x) of ``glass``" });
    const { relay, ask } = await asked({ store });
    await ask("/sidecar search lantern");
    await ask("/sidecar search LANTERN");
    const day = new Date().toISOString().slice(0, 10);
    expect(textsIn(relay).at(-1)).toBe(
      [
        `- \`\` Of \`lanterns\`\\u001b[31m \`\` (${day})`,
        `  - \`${other.id}:1\` user: \`\`\` a ![lantern](http://x) of \`\`glass\`\` \`\`\``,
      ].join("\n"),
    );
    await ask("/sidecar search nowhere");
    expect(textsIn(relay).at(-1)).toBe("Nothing was found.");
    await ask('/sidecar search "open');
    expect(textsIn(relay).at(-1)).toContain("a phrase begins and does not end");
    await ask("/sidecar search");
    expect(textsIn(relay).at(-1)).toContain("Say what to look for");
    await relay.close();
  });

  it("exports into the session's folder, once, and not the command itself", async () => {
    const cwd = scratchFolder();
    const relay = await rig({ relay: { commands: "on" } });
    const { sessionId } = (await relay.client.request("session/new", { cwd, mcpServers: [] })) as {
      sessionId: string;
    };
    await relay.prompt(sessionId, "../../Etc: a question");
    await relay.prompt(sessionId, "/sidecar export");
    const name = `${new Date().toISOString().slice(0, 10)}-etc-a-question-${sessionId.slice(-8)}.md`;
    expect(textsIn(relay).at(-1)).toContain(`\`${path.join(cwd, name)}\``);
    const text = fs.readFileSync(path.join(cwd, name), "utf8");
    expect([text.includes("a question"), text.includes("/sidecar")]).toEqual([true, false]);
    await relay.prompt(sessionId, "/sidecar export md");
    expect(textsIn(relay).at(-1)).toContain("is there already; move it away first");
    await relay.prompt(sessionId, "/sidecar export html");
    await relay.prompt(sessionId, "/sidecar export ../x");
    expect(textsIn(relay).at(-1)).toContain("allowed: markdown, html");
    expect(fs.readdirSync(cwd).toSorted()).toEqual([name.replace(/md$/, "html"), name]);
    fs.rmSync(cwd, { recursive: true });
    await relay.prompt(sessionId, "/sidecar export");
    expect(textsIn(relay).at(-1)).toContain("could not be written");
    await relay.close();
  });

  it("goes back by turns of the agent's, and takes that back", async () => {
    const { relay, sessionId, ask } = await asked();
    for (const text of ["one", "/sidecar usage", "two", "three", "/sidecar help"]) await ask(text);
    await ask("/sidecar rewind 2");
    expect(textsIn(relay).at(-1)).toContain("Went back by 2 turns");
    const said = async () => {
      const texts = [];
      for await (const { role, content } of relay.registry.messages(sessionId as SessionId))
        if (role === "user") texts.push(textOf({ content }));
      return texts;
    };
    expect(await said()).toEqual(["one", "/sidecar usage", "/sidecar rewind 2"]);
    await ask("and then");
    const heard = relay.agents[0]?.heardOf("session/prompt") ?? [];
    expect(JSON.stringify(heard.at(-1))).toContain("one");
    expect(JSON.stringify(heard.at(-1))).not.toContain("three");
    await ask("/sidecar rewind undo");
    expect(textsIn(relay).at(-1)).toContain("2 turns again, 1 turn not any more");
    expect(await said()).toEqual([
      "one",
      "/sidecar usage",
      "two",
      "three",
      "/sidecar help",
      "/sidecar rewind undo",
    ]);
    await ask("/sidecar rewind 9");
    expect(textsIn(relay).at(-1)).toContain("has 3 turns to go back by");
    await ask("/sidecar rewind -1");
    expect(textsIn(relay).at(-1)).toContain("by how many turns");
    await relay.close();
  });

  it("does not go back in the middle of a turn", async () => {
    const { passed, open } = gate();
    const { relay, ask } = await asked({
      script: { "session/prompt": () => passed.then(() => ({ stopReason: "end_turn" })) },
    });
    const turn = ask("go");
    await until(() => relay.agents[0]?.heardOf("session/prompt").length === 1);
    await ask("/sidecar rewind");
    expect(textsIn(relay).at(-1)).toContain("has a turn running");
    open();
    expect(await turn).toMatchObject({ stopReason: "end_turn" });
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
    const { relay, sessionId, ask } = await asked({ store });
    await ask("/sidecar fly");
    expect(textsIn(relay).at(-1)).toContain(
      "allowed: search, export, rewind, rename, fork, changes, usage, help",
    );
    await ask("/sidecar rename");
    expect(textsIn(relay).at(-1)).toContain("must not be empty");
    isBroken = true;
    await expect(ask("/sidecar rename x")).rejects.toMatchObject({ message: expect.any(String) as string });
    isBroken = false;
    expect(await ask("/sidecar help")).toMatchObject({ stopReason: "end_turn" });
    const kinds = (await entriesOf(inner, sessionId as SessionId)).map(({ kind }) => kind);
    const turns = kinds.filter((kind) => kind === "prompt" || kind === "end");
    expect(turns, "a turn is there to its end, or not at all").toEqual(
      Array.from({ length: 6 }, (_, at) => (at % 2 === 0 ? "prompt" : "end")),
    );
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
    expect(theirs.relay.updates.at(-1)?.update).toEqual(list);
    await theirs.relay.close();
  });

  it("is there to its end, or not at all, when others take the session meanwhile", async () => {
    const inner = openMemoryStore();
    const { passed, open } = gate();
    let [isHeldUp, isWaiting] = [false, false];
    const store = wrapStore(inner, {
      update: async (...args) => {
        if (isHeldUp) {
          isWaiting = true;
          await passed;
        }
        return inner.update(...args);
      },
    });
    const { relay, sessionId, ask } = await asked({ store });
    await ask("hello");
    isHeldUp = true;
    const asking = ask("/sidecar rename x").catch((error: unknown) => error);
    await until(() => isWaiting);
    const holder = { host: "elsewhere", pid: 1, startedAt: "1" };
    const { journal } = await new SessionRegistry({ store: inner }).open(sessionId as SessionId, { holder });
    open();
    expect(await asking).toMatchObject({ data: { code: "LEASE_LOST" } });
    await journal.release();
    const kinds = (await entriesOf(inner, sessionId as SessionId)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "prompt" || kind === "end")).toEqual(["prompt", "end"]);
    await relay.close();
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
