/** How turns, sessions, agents and the relay end, and who is told. */
import { describe, expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { collect } from "../../src/session/pages.ts";
import { gate, initialized, rig, until, type Rig } from "./rig.ts";

const never = () => new Promise<never>(() => undefined);

async function kindsOf({ store }: Pick<Rig, "store">, sessionId: string): Promise<string[]> {
  return (await collect(store.read(toSessionId(sessionId)))).map(({ kind }) => kind);
}

describe("a relay that is closed", () => {
  it("waits for a deaf agent no longer than it would anyway, even if a cancellation is under way", async () => {
    const relay = await rig({ relay: { cancelGraceMs: 60_000 }, script: { "session/prompt": never } });
    const sessionId = await relay.newSession();
    const answer = relay.prompt(sessionId);
    await until(() => relay.agentNow().heardOf("session/prompt").length === 1);
    await relay.client.notify("session/cancel", { sessionId });
    await until(() => relay.agentNow().heardOf("session/cancel").length === 1);
    const startMs = performance.now();
    await relay.close();
    expect(performance.now() - startMs).toBeLessThan(5000);
    expect(await answer).toEqual({ stopReason: "cancelled" });
    expect(await kindsOf(relay, sessionId)).toEqual(["prompt", "end"]);
    expect((await relay.store.get(toSessionId(sessionId)))?.lease).toBeUndefined();
  });

  it("tells the agent of each session that it closes, if that wants to know", async () => {
    const relay = await rig({ script: { initialize: initialized({ close: {} }) } });
    await relay.newSession();
    await relay.newSession();
    await relay.close();
    expect(relay.agentNow().heardOf("session/close")).toEqual([
      { sessionId: "agent-1" },
      { sessionId: "agent-2" },
    ]);
  });
});

describe("a session that is being made when the client goes", () => {
  it("is not left held [REQ shutdown-any-state]", async () => {
    const making = gate();
    const relay = await rig({
      script: { "session/new": () => making.passed.then(() => ({ sessionId: "agent-1" })) },
    });
    const made = relay.newSession();
    await until(() => relay.agentNow().heardOf("session/new").length === 1);
    const closed = relay.close();
    making.open();
    const sessionId = await made;
    await closed;
    expect((await relay.store.get(toSessionId(sessionId)))?.lease).toBeUndefined();
  });
});

describe("an agent that dies", () => {
  it("in the middle of a question to the client has the question withdrawn, and its prompt fails", async () => {
    const withdrawn: string[] = [];
    const relay = await rig({
      script: {
        "session/prompt": ({ sessionId }, agent) =>
          agent.connection.request("session/request_permission", { sessionId, options: [], toolCall: {} }),
      },
      client: {
        "session/request_permission": (_params, { signal }) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => {
              withdrawn.push("permission");
              resolve({ outcome: { outcome: "cancelled" } });
            });
            relay.agentNow().die();
          }),
      },
    });
    const sessionId = await relay.newSession();
    await expect(relay.prompt(sessionId)).rejects.toMatchObject({ data: { code: "AGENT_EXITED" } });
    await until(() => withdrawn.length === 1);
    await relay.close();
  });
});

describe("a request that the client withdraws", () => {
  it("is withdrawn at the agent, also when the session is being attached for it", async () => {
    const first = await rig();
    const sessionId = await first.newSession();
    await first.close();
    let withdrawn = false;
    const relay = await rig({
      store: first.store,
      script: {
        initialize: initialized({ resume: {} }),
        "session/resume": (_params, _agent, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              withdrawn = true;
              reject(new Error("cancelled"));
            });
          }),
      },
    });
    const withdrawal = new AbortController();
    const params = { sessionId, cwd: "/work", mcpServers: [] };
    const loading = relay.client.request("session/load", params, { signal: withdrawal.signal });
    const outcome = Promise.allSettled([loading]);
    await until(() => relay.agentNow().heardOf("session/resume").length === 1);
    withdrawal.abort();
    await outcome;
    expect(withdrawn).toBe(true);
    await relay.close();
  });
});

describe("a session that is closed", () => {
  it("while a question of its agent is open takes the answer in without a word", async () => {
    const answer = gate();
    const warned: string[] = [];
    const log = {
      ...{
        error: (_: unknown, text: string) => void warned.push(text),
        warn: (_: unknown, text: string) => void warned.push(text),
      },
      ...{ info: () => undefined, debug: () => undefined, writes: () => true, close: () => undefined },
    };
    let asked: Promise<unknown> | undefined;
    const relay = await rig({
      log,
      script: {
        "session/prompt": ({ sessionId }, agent) => {
          asked = agent.connection.request("fs/read_text_file", { sessionId, path: "/x" });
          return { stopReason: "end_turn" };
        },
      },
      client: { "fs/read_text_file": () => answer.passed.then(() => ({ content: "late" })) },
    });
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId);
    await relay.client.request("session/close", { sessionId });
    answer.open();
    expect(await asked).toEqual({ content: "late" });
    expect(warned).toEqual([]);
    await relay.close();
  });
});

describe("a session that is loaded while it is live", () => {
  it("hands what it is set up with now to the next agent session", async () => {
    const relay = await rig();
    const sessionId = await relay.newSession();
    const mcpServers = [{ name: "new", command: "x", args: [], env: [] }];
    await relay.client.request("session/load", { sessionId, cwd: "/work", mcpServers });
    expect((await relay.registry.get(toSessionId(sessionId))).mcpServerNames).toEqual(["new"]);
    relay.agentNow().die();
    await relay.prompt(sessionId);
    expect(relay.agentNow().heardOf("session/new")).toEqual([{ cwd: "/work", mcpServers }]);
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
