import { afterEach, describe, expect, it, vi } from "vitest";
import type { Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { gate, rig, until } from "../rig.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A store whose appends can be made to wait. */
function stalling(inner: Store) {
  let stalled: Promise<void> | undefined;
  const store = new Proxy(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "append") return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return async (...args: Parameters<Store["append"]>) => {
        await stalled;
        return target.append(...args);
      };
    },
  });
  const stall = () => {
    const { passed, open } = gate();
    stalled = passed;
    return () => {
      stalled = undefined;
      open();
    };
  };
  return { store, stall };
}

describe("a notification of the agent that waits for its session", () => {
  it("does not hold up the other sessions [REQ load-others]", async () => {
    const { store, stall } = stalling(openMemoryStore());
    const relay = await rig({ store });
    const [slow, other] = [await relay.newSession(), await relay.newSession()];
    const free = stall();
    await relay.agentNow().say("agent-1", "waits for the store");
    await relay.agentNow().connection.notify("_vendor/note", { sessionId: "agent-1" });
    await relay.agentNow().connection.notify("_vendor/note", { sessionId: "agent-2" });
    await until(() => relay.notified.length > 0);
    expect(relay.notified).toEqual([["_vendor/note", { sessionId: other }]]);
    free();
    await until(() => relay.notified.length > 1);
    expect(relay.notified[1]).toEqual(["_vendor/note", { sessionId: slow }]);
    expect(relay.shown()).toBe("waits for the store");
    await relay.close();
  });
});

describe("sessions that are named in an answer that we do not know", () => {
  it("are named by our ids to the client, asked about a session or not, and by the agent's to the agent [REQ translate-session-id]", async () => {
    const named = (sessionId: unknown) => ({
      sessionId,
      sessions: [{ sessionId }, { sessionId: "other" }, 5],
    });
    let answered: unknown;
    const relay = await rig({
      script: {
        "_vendor/current": () => named("agent-1"),
        "session/prompt": async ({ sessionId }, agent) => {
          answered = await agent.connection.request("_vendor/shown", { sessionId });
          return { stopReason: "end_turn" };
        },
      },
      client: { "_vendor/shown": ({ sessionId }) => named(sessionId) },
    });
    const sessionId = await relay.newSession();
    for (const params of [{}, { sessionId }])
      expect(await relay.client.request("_vendor/current", params)).toEqual(named(sessionId));
    await relay.prompt(sessionId);
    expect(answered).toEqual(named("agent-1"));
    await relay.close();
  });
});
