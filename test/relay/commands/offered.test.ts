import { describe, expect, it } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { entriesOf } from "../../conformance/samples.ts";
import { initialized, rig, type Rig, type RigOptions, type Script } from "../rig.ts";

async function asked(options: RigOptions = {}) {
  const relay = await rig({ ...options, relay: { commands: "on", ...options.relay } });
  const sessionId = await relay.newSession();
  return { relay, sessionId, ask: (text: string) => relay.prompt(sessionId, text) };
}

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
    const listIn = ({ updates }: Rig) =>
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

  it("are ours alone where the agent has none, behind the answer to a new session and on load [REQ commands-offered]", async () => {
    const { relay, sessionId, ask } = await asked();
    await ask("hello");
    const lists = () => relay.updates.filter(({ update }) => update.sessionUpdate.startsWith("available"));
    const ours = { sessionId, update: { availableCommands: [{ name: "sidecar" }] } };
    expect(lists()).toMatchObject([ours]);
    await relay.client.request("session/close", { sessionId });
    await relay.load(sessionId);
    expect(lists()).toMatchObject([ours, ours]);
    await relay.client.request("session/resume", { sessionId, cwd: "/work", mcpServers: [] });
    expect(lists()).toHaveLength(2);
    await relay.close();
  });

  it("are told once where the agent tells its own before its answer, and not at all when switched off", async () => {
    const update = { sessionUpdate: "available_commands_update", availableCommands: [{ name: "plan" }] };
    const early: Script = {
      "session/new": async (_, agent) => {
        await agent.update("agent-9", update);
        return { sessionId: "agent-9" };
      },
    };
    const { relay, ask } = await asked({ script: early });
    await ask("hello");
    expect(relay.updates.map((each) => each.update)).toMatchObject([
      { availableCommands: [{ name: "plan" }, { name: "sidecar" }] },
    ]);
    await relay.close();
    const off = await asked({ relay: { commands: "off" } });
    await off.ask("hello");
    expect(off.relay.updates).toEqual([]);
    await off.relay.close();
  });
});
