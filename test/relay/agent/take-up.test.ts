import { describe, expect, it } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import { RpcError } from "../../../src/rpc/errors.ts";
import { initialized, rig, type Params, type Rig, type Script } from "../rig.ts";

const canLoad = { initialize: initialized({}, { loadSession: true }) };
const says = (text: string) => ({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
const gone = () => {
  throw new RpcError(-32002, "no such session");
};

/** A session with one turn, whose relay has been closed. */
async function prompted(script: Script = {}) {
  const relay = await rig({ script });
  const sessionId = await relay.newSession();
  await relay.prompt(sessionId, "the first word");
  await relay.close();
  return { store: relay.store, sessionId };
}

/** The texts of the prompts that the agent was sent, each as one text with the history before it. */
function asked(relay: Rig): string[] {
  const promptOf = ({ prompt }: Params) => (prompt as { text?: string }[]).map(({ text }) => text).join("");
  return relay.agentNow().heardOf("session/prompt").map(promptOf);
}

const history = /the first word/;

describe("an agent that has lost a session", () => {
  it("is handed the conversation by the first prompt, however often the session was loaded before", async () => {
    const { store, sessionId } = await prompted();
    for (let round = 0; round < 2; round += 1) {
      const relay = await rig({ store, script: { ...canLoad, "session/load": gone } });
      await relay.load(sessionId);
      await relay.close();
    }
    const relay = await rig({ store, script: { ...canLoad, "session/load": () => ({}) } });
    await relay.load(sessionId);
    await relay.prompt(sessionId, "one");
    await relay.prompt(sessionId, "two");
    expect(asked(relay)).toEqual([expect.stringMatching(history), "two"]);
    await relay.close();
  });

  it("is handed it still when the prompt that brought it failed", async () => {
    const { store, sessionId } = await prompted();
    let fails = true;
    const relay = await rig({
      store,
      script: {
        "session/prompt": () => {
          if (fails) throw new Error("overloaded");
          return { stopReason: "end_turn" };
        },
      },
    });
    await expect(relay.prompt(sessionId, "one")).rejects.toThrow();
    fails = false;
    await relay.prompt(sessionId, "two");
    await relay.prompt(sessionId, "three");
    const brought = asked(relay).map((text) => history.test(text));
    expect(brought).toEqual([true, true, false]);
    await relay.close();
  });

  it("finds a command where it looks for it: the history comes with the next prompt", async () => {
    const { store, sessionId } = await prompted();
    const relay = await rig({ store });
    await relay.prompt(sessionId, "/compact now");
    await relay.prompt(sessionId, "go on");
    expect(asked(relay)).toEqual(["/compact now", expect.stringMatching(history)]);
    await relay.close();
  });
});

describe("a fork that was not prompted", () => {
  it("is owed its history after a restart still", async () => {
    const first = await rig();
    const parent = await first.newSession();
    await first.prompt(parent, "the first word");
    const params = { sessionId: parent, cwd: "/work", mcpServers: [] };
    const { sessionId } = (await first.client.request("session/fork", params)) as { sessionId: string };
    await first.close();
    const script = { initialize: initialized({ resume: {} }) };
    const relay = await rig({ store: first.store, script });
    await relay.prompt(sessionId, "go on");
    expect(relay.agentNow().heardOf("session/resume")).toHaveLength(1);
    expect(asked(relay)).toEqual([expect.stringMatching(history)]);
    await relay.close();
  });
});

describe("an agent that fails to load a session", () => {
  it("is asked again, and keeps the session when it was a passing failure", async () => {
    const { store, sessionId } = await prompted();
    let failures = 1;
    const relay = await rig({
      store,
      script: {
        ...canLoad,
        "session/load": async (params, agent) => {
          if (failures-- > 0) throw new RpcError(-32603, "try later");
          await agent.update(String(params["sessionId"]), says("replayed"));
          return {};
        },
      },
    });
    await relay.load(sessionId);
    await relay.prompt(sessionId, "go on");
    expect(relay.agentNow().heardOf("session/new")).toEqual([]);
    expect(asked(relay)).toEqual(["go on"]);
    await relay.close();
  });

  it("keeps it when it lists it: the client is told, and may try again", async () => {
    const { store, sessionId } = await prompted();
    const relay = await rig({
      store,
      script: {
        initialize: initialized({ list: {} }, { loadSession: true }),
        "session/list": () => ({ sessions: [{ sessionId: "agent-1", cwd: "/work" }] }),
        "session/load": () => {
          throw new RpcError(-32603, "try later");
        },
      },
    });
    await expect(relay.load(sessionId)).rejects.toThrow("try later");
    expect(relay.agentNow().heardOf("session/new")).toEqual([]);
    const record = await relay.registry.get(toSessionId(sessionId));
    expect(record.agentSessionIds).toEqual(["agent-1"]);
    await relay.close();
  });

  it("has lost it when it does not list it", async () => {
    const { store, sessionId } = await prompted();
    const relay = await rig({
      store,
      script: {
        initialize: initialized({ list: {} }, { loadSession: true }),
        "session/list": () => ({ sessions: [] }),
        "session/load": () => {
          throw new RpcError(-32603, "whatever");
        },
      },
    });
    await relay.load(sessionId);
    expect(relay.agentNow().heardOf("session/load")).toHaveLength(1);
    expect(relay.agentNow().heardOf("session/new")).toHaveLength(1);
    await relay.close();
  });

  it("is asked for the ids by which it knew the session before, newest first", async () => {
    const { store, sessionId } = await prompted();
    const second = await rig({
      store,
      script: { ...canLoad, "session/load": gone, "session/new": () => ({ sessionId: "second" }) },
    });
    await second.load(sessionId);
    await second.close();
    const relay = await rig({
      store,
      script: {
        ...canLoad,
        "session/load": async (params, agent) => {
          if (params["sessionId"] === "second") gone();
          await agent.update(String(params["sessionId"]), says("replayed"));
          return {};
        },
      },
    });
    await relay.load(sessionId);
    const loaded = relay.agentNow().heardOf("session/load");
    expect(loaded.map((params) => params["sessionId"])).toEqual(["second", "agent-1"]);
    // The newer one never had a prompt: the older one has all of the conversation.
    await relay.prompt(sessionId, "go on");
    expect(asked(relay)).toEqual(["go on"]);
    await relay.close();
  });
});

describe("an agent that loads a session and replays nothing of it", () => {
  it("has forgotten it, and is handed the conversation", async () => {
    const { store, sessionId } = await prompted();
    const relay = await rig({ store, script: canLoad });
    await relay.load(sessionId);
    await relay.prompt(sessionId, "go on");
    expect(relay.agentNow().heardOf("session/load")).toHaveLength(1);
    expect(asked(relay)).toEqual([expect.stringMatching(history)]);
    await relay.close();
  });

  it("has not when the replay comes a moment behind its answer", async () => {
    const { store, sessionId } = await prompted();
    const relay = await rig({
      store,
      script: {
        ...canLoad,
        "session/load": (params, agent) => {
          setTimeout(() => void agent.update(String(params["sessionId"]), says("replayed")), 20);
          return {};
        },
      },
    });
    await relay.load(sessionId);
    await relay.prompt(sessionId, "go on");
    expect(asked(relay)).toEqual(["go on"]);
    expect(relay.shown()).toBe("");
    await relay.close();
  });

  it("of several, and has none, is not asked for one after the other until the prompt fails", async () => {
    const { store, sessionId } = await prompted();
    for (const id of ["second", "third"]) {
      const relay = await rig({
        store,
        script: { ...canLoad, "session/load": gone, "session/new": () => ({ sessionId: id }) },
      });
      await relay.prompt(sessionId, `to ${id}`);
      await relay.close();
    }
    const relay = await rig({
      store,
      script: {
        ...canLoad,
        "session/new": () => ({ sessionId: "fourth" }),
        "session/prompt": (params) =>
          params["sessionId"] === "fourth" ? { stopReason: "end_turn" } : gone(),
      },
    });
    await relay.prompt(sessionId, "go on");
    expect(relay.agentNow().heardOf("session/prompt").at(-1)).toMatchObject({ sessionId: "fourth" });
    await relay.close();
  });
});
