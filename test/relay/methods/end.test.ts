import { describe, expect, it } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import { collect } from "../../../src/session/pages.ts";
import { type Rig, type Script, gate, initialized, rig, until } from "../rig.ts";

const listing = { initialize: initialized({ list: {} }, { loadSession: true }) };

async function listed({ client }: Rig, params: object = {}): Promise<string[]> {
  const { sessions } = (await client.request("session/list", params)) as {
    sessions: { sessionId: string }[];
  };
  return sessions.map(({ sessionId }) => sessionId);
}

async function kindsOf({ store }: Pick<Rig, "store">, sessionId: string): Promise<string[]> {
  return (await collect(store.read(toSessionId(sessionId)))).map(({ kind }) => kind);
}

describe("a deleted session", () => {
  /** Cannot delete the session that it lists. */
  const script: Script = {
    ...listing,
    "session/list": () => ({ sessions: [{ sessionId: "agent-1", cwd: "/work" }] }),
  };

  it("does not come back in the list of an agent that cannot delete it [REQ delete-gone]", async () => {
    const theirs = new Set(["theirs"]);
    const relay = await rig({
      script: {
        ...listing,
        "session/list": () => ({
          sessions: [...theirs, "agent-1"].map((sessionId) => ({ sessionId, cwd: "/work" })),
        }),
      },
    });
    const ours = await relay.newSession();
    expect(await listed(relay)).toEqual([ours, "theirs"]);
    await relay.client.request("session/delete", { sessionId: ours });
    await relay.client.request("session/delete", { sessionId: "theirs" });
    expect(await listed(relay)).toEqual([]);
    await relay.load("theirs");
    expect(await listed(relay)).toHaveLength(1);
    await relay.close();
  });

  it("that was another agent's is not looked for at this one, whose ids mean other sessions [REQ delete-forward]", async () => {
    const first = await rig({ script: { initialize: initialized({ delete: {} }) } });
    const ours = await first.newSession();
    await first.client.request("session/close", { sessionId: ours });
    const { store } = first;
    const another = () => ({
      ...initialized({ delete: {} })(),
      agentInfo: { name: "another", version: "1" },
    });
    const relay = await rig({ store, script: { initialize: another } });
    await relay.client.request("session/delete", { sessionId: ours });
    expect(relay.agentNow().heardOf("session/delete")).toEqual([]);
    expect(await relay.registry.count()).toBe(0);
    await relay.close();
    await first.close();
  });

  it("stays away after a restart, in other processes, too, and is found when it is asked for by name [REQ delete-gone]", async () => {
    const first = await rig({ script });
    const { store } = first;
    await first.client.request("session/delete", { sessionId: await first.newSession() });
    await first.close();
    const relay = await rig({ store, script });
    expect(await listed(relay)).toEqual([]);
    expect(await relay.registry.count()).toBe(0);
    await relay.client.request("session/delete", { sessionId: "agent-1" });
    expect(await store.count()).toBe(1);
    await expect(relay.load("agent-1")).resolves.toBeDefined();
    expect(await listed(relay)).toHaveLength(1);
    expect(await store.count()).toBe(1);
    await relay.close();
  });

  it("of one agent hides none of another's that has the same id", async () => {
    const first = await rig({ script });
    const { store } = first;
    await first.client.request("session/delete", { sessionId: await first.newSession() });
    await first.close();
    const initialize = () => ({ ...listing.initialize(), agentInfo: { name: "another", version: "1" } });
    const relay = await rig({ store, script: { ...script, initialize } });
    expect(await listed(relay)).toEqual(["agent-1"]);
    await relay.close();
  });

  // As Claude's agent 0.49 does: a process of its own writes the session once more.
  it("stays away though its agent deletes it and lists it all the same", async () => {
    const initialize = initialized({ list: {}, delete: {} });
    const relay = await rig({ script: { ...script, initialize, "session/delete": () => ({}) } });
    await relay.client.request("session/delete", { sessionId: await relay.newSession() });
    expect(relay.agentNow().heardOf("session/delete")).toEqual([{ sessionId: "agent-1" }]);
    expect(await listed(relay)).toEqual([]);
    await relay.close();
  });

  it("leaves nothing behind where the agent lists nothing", async () => {
    const relay = await rig({ script: { initialize: initialized({ delete: {} }) } });
    await relay.client.request("session/delete", { sessionId: await relay.newSession() });
    expect(await relay.store.count()).toBe(0);
    await relay.close();
  });
});

describe("a session that is idle", () => {
  it("is let go, at the agent and in the store, and the next prompt takes it up again", async () => {
    let nowMs = Date.now();
    const relay = await rig({
      registry: { idleTimeoutMs: 1000, now: () => nowMs },
      script: { initialize: initialized({ close: {}, resume: {} }) },
    });
    const sessionId = await relay.newSession();
    nowMs += 5000;
    await relay.registry.sweep();
    expect(relay.agentNow().heardOf("session/close")).toEqual([{ sessionId: "agent-1" }]);
    expect((await relay.registry.get(toSessionId(sessionId))).lease).toBeUndefined();
    expect(relay.registry.live.size).toBe(0);
    await relay.prompt(sessionId);
    expect(
      relay
        .agentNow()
        .heardOf("session/resume")
        .map((params) => params["sessionId"]),
    ).toEqual(["agent-1"]);
    expect(relay.registry.live.size).toBe(1);
    await relay.close();
  });

  it("stays with an agent that could not take it up again [REQ idle-kept]", async () => {
    let nowMs = Date.now();
    const relay = await rig({
      registry: { idleTimeoutMs: 1000, now: () => nowMs },
      script: { initialize: initialized({ close: {} }) },
    });
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId);
    nowMs += 5000;
    await relay.registry.sweep();
    expect(relay.registry.live.size).toBe(1);
    await relay.prompt(sessionId);
    const heard = relay.agentNow().heard.map(([method]) => method);
    expect(heard.slice(1)).toEqual(["session/new", "session/prompt", "session/prompt"]);
    await relay.close();
  });

  it("is not one in a turn, however long that takes; its idle time begins with the turn's end", async () => {
    let nowMs = Date.now();
    const turn = gate();
    const relay = await rig({
      registry: { idleTimeoutMs: 1000, now: () => nowMs },
      script: {
        initialize: initialized({ resume: {} }),
        "session/prompt": () => turn.passed.then(() => ({ stopReason: "end_turn" })),
      },
    });
    const sessionId = await relay.newSession();
    const answer = relay.prompt(sessionId);
    await until(() => relay.agentNow().heardOf("session/prompt").length === 1);
    nowMs += 5000;
    await relay.registry.sweep();
    expect([relay.registry.live.size, (await relay.registry.get(toSessionId(sessionId))).lease]).toEqual([
      1,
      expect.anything(),
    ]);
    nowMs += 5000;
    turn.open();
    await answer;
    await relay.registry.sweep();
    expect(relay.registry.live.size).toBe(1);
    nowMs += 5000;
    await relay.registry.sweep();
    expect(relay.registry.live.size).toBe(0);
    await relay.close();
  });

  it("is not one whose agent has something to say between two turns; one whose agent never ends its turn is [REQ prompt-outside, config-idle]", async () => {
    let nowMs = Date.now();
    const relay = await rig({
      registry: { idleTimeoutMs: 1000, now: () => nowMs },
      relay: { cancelGraceMs: 1 },
      script: {
        initialize: initialized({ resume: {} }),
        "session/prompt": () => new Promise(() => undefined),
      },
    });
    const sessionId = await relay.newSession();
    nowMs += 900;
    await relay.agentNow().say("agent-1", "on my own");
    await until(() => relay.shown() === "on my own");
    nowMs += 900;
    await relay.registry.sweep();
    expect(relay.registry.live.size).toBe(1);
    const answer = relay.prompt(sessionId);
    await until(() => relay.agentNow().heardOf("session/prompt").length === 1);
    await relay.client.notify("session/cancel", { sessionId });
    expect(await answer).toEqual({ stopReason: "cancelled" });
    nowMs += 1100;
    await relay.registry.sweep();
    expect(relay.registry.live.size).toBe(0);
    await relay.close();
  });
});

describe("what an agent still says of a session that was closed or deleted", () => {
  it.each(["session/close", "session/delete"])("after %s reaches nobody, under no id", async (method) => {
    const relay = await rig({ client: { "_vendor/ask": () => "asked" } });
    const sessionId = await relay.newSession();
    const agent = relay.agentNow();
    await relay.client.request(method, { sessionId });
    void agent.say("agent-1", "late");
    void agent.connection.notify("_vendor/news", { sessionId: "agent-1" });
    const asked = agent.connection.request("session/request_permission", { sessionId: "agent-1" });
    expect(await asked).toEqual({ outcome: { outcome: "cancelled" } });
    const asking = agent.connection.request("_vendor/ask", { sessionId: "agent-1" });
    await expect(asking).rejects.toMatchObject({ data: { code: "SESSION_NOT_FOUND" } });
    expect([relay.updates, relay.notified]).toEqual([[], []]);
    // What was never ours passes as it is.
    expect(await agent.connection.request("_vendor/ask", { sessionId: "other" })).toBe("asked");
    await agent.say("other", "news");
    await until(() => relay.updates.length === 1);
    expect(relay.updates[0]?.sessionId).toBe("other");
    await relay.close();
  });
});

describe("a prompt on the heels of a close", () => {
  it("takes the session up again, however long the agent takes to let go of it", async () => {
    const [closing, closed] = [gate(), gate()];
    const relay = await rig({
      script: {
        initialize: initialized({ close: {} }),
        "session/close": () => closing.passed,
        "session/prompt": async ({ sessionId }, agent) => {
          await agent.say(String(sessionId), "here ");
          await closed.passed;
          await agent.say(String(sessionId), "still");
          return { stopReason: "end_turn" };
        },
      },
    });
    const sessionId = await relay.newSession();
    const close = relay.client.request("session/close", { sessionId });
    const answered = relay.prompt(sessionId);
    await until(() => relay.updates.length === 1);
    closing.open();
    await close;
    closed.open();
    expect(await answered).toEqual({ stopReason: "end_turn" });
    expect(relay.updates.map((update) => update.sessionId)).toEqual([sessionId, sessionId]);
    expect(await kindsOf(relay, sessionId)).toEqual(["prompt", "update", "end"]);
    await relay.close();
  });
});
