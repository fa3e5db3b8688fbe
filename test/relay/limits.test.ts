/** Agents that do not answer, stores that fail on the way, leases that are lost in silence. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/contract.ts";
import { flaky } from "../session/flaky-store.ts";
import { gate, initialized, rig, until } from "./rig.ts";

const never = () => new Promise<never>(() => undefined);

afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass for timers alone until `promise` settles. */
async function inNoTime<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => (settled = true);
  promise.then(done, done);
  while (!settled) {
    vi.advanceTimersByTime(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}

describe("an agent that does not answer", () => {
  it("holds up neither the list of our sessions nor a deletion", async () => {
    const relay = await rig({
      script: {
        initialize: initialized({ list: {}, delete: {} }),
        "session/list": never,
        "session/delete": never,
      },
    });
    const sessionId = await relay.newSession();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const list = await inNoTime(relay.client.request("session/list", {}));
    expect(list).toMatchObject({ sessions: [{ sessionId }] });
    expect(await inNoTime(relay.client.request("session/delete", { sessionId }))).toEqual({});
    vi.useRealTimers();
    expect(relay.agentNow().heardOf("session/delete")).toEqual([{ sessionId: "agent-1" }]);
    await relay.close();
  });
});

describe("a long list of an agent's own sessions", () => {
  it("is compared with the store many at a time: one by one a network's store would take longer than the list may", async () => {
    const memory = openMemoryStore();
    let [asked, most] = [0, 0];
    const list: Store["list"] = async (query) => {
      most = Math.max(most, (asked += 1));
      await new Promise((resolve) => setImmediate(resolve));
      asked -= 1;
      return memory.list(query);
    };
    const store = new Proxy(memory, {
      get: (inner, name) => {
        if (name === "list") return list;
        const value: unknown = Reflect.get(inner, name, inner);
        return typeof value === "function" ? (value.bind(inner) as unknown) : value;
      },
    });
    const sessions = Array.from({ length: 60 }, (_, at) => ({ sessionId: `theirs-${at}`, cwd: "/work" }));
    const initialize = initialized({ list: {} });
    const relay = await rig({ store, script: { initialize, "session/list": () => ({ sessions }) } });
    expect(await relay.client.request("session/list", {})).toEqual({ sessions });
    expect(most).toBe(25);
    await relay.close();
  });
});

describe("an agent that does not read", () => {
  it("is ended when so much waits for it that the client cannot be heard, and the next one is asked [REQ back-pressure, agent-restart]", async () => {
    const relay = await rig({ relay: { deafMs: 50, leaseTtlMs: 60 } });
    const sessionId = await relay.newSession();
    const deaf = relay.agentNow();
    deaf.isDeaf = true;
    // More than the limit of what waits, which is that of a message.
    const asked = Array.from({ length: 8 }, () =>
      relay.client.request("_vendor/store", { sessionId, text: "x".repeat(300_000) }),
    );
    const outcomes = await Promise.allSettled(asked);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { data: { code: "AGENT_EXITED" } } });
    deaf.die();
    expect(await relay.prompt(sessionId)).toEqual({ stopReason: "end_turn" });
    expect(relay.agents).toHaveLength(2);
    await relay.close();
  });

  it("holds nobody up before that: a turn is cancelled, and sessions are listed [REQ cancel-grace]", async () => {
    const relay = await rig({ relay: { cancelGraceMs: 10 }, script: { "session/prompt": never } });
    const sessionId = await relay.newSession();
    const turn = relay.prompt(sessionId);
    await until(() => relay.agentNow().heardOf("session/prompt").length === 1);
    relay.agentNow().isDeaf = true;
    const asked = relay.client.request("_vendor/store", { sessionId, text: "x".repeat(900_000) });
    asked.catch(() => undefined);
    await relay.client.notify("session/cancel", { sessionId });
    expect(await turn).toEqual({ stopReason: "cancelled" });
    expect(await relay.client.request("session/list", {})).toMatchObject({ sessions: [{ sessionId }] });
    relay.agentNow().die();
    await relay.close();
  });
});

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

describe("a session whose making fails on the way", () => {
  it.each(["create", "acquire"] as const)("is nowhere, and the next one works: %s", async (method) => {
    const { store, fail } = flaky(openMemoryStore());
    const relay = await rig({ store, script: { initialize: initialized({ close: {} }) } });
    fail(method, "before");
    await expect(relay.newSession()).rejects.toMatchObject({ data: { code: "STORE_FAILED" } });
    await until(() => relay.agentNow().heardOf("session/close").length === 1);
    expect([await relay.registry.count(), relay.registry.live.size]).toEqual([0, 0]);
    await relay.prompt(await relay.newSession());
    await relay.close();
  });
});

describe("a session that is lost in a turn in which the agent is silent", () => {
  it("ends the turn with the next renewal of the lease, at the agent, too", async () => {
    const relay = await rig({ relay: { leaseTtlMs: 60 }, script: { "session/prompt": never } });
    const sessionId = await relay.newSession();
    const answer = relay.prompt(sessionId);
    const outcome = Promise.allSettled([answer]);
    await until(() => relay.agentNow().heardOf("session/prompt").length === 1);
    const holder = { host: "elsewhere", pid: 7, startedAt: "1" };
    const request = { holder, ttlMs: 30_000, mayTake: () => true };
    await relay.store.acquire(toSessionId(sessionId), request);
    expect(await outcome).toMatchObject([{ reason: { data: { code: "LEASE_LOST", holder: { pid: 7 } } } }]);
    await until(() => relay.agentNow().heardOf("session/cancel").length === 1);
    await relay.close();
  });

  it("is not lost for a store that fails once", async () => {
    const { store, fail, calls } = flaky(openMemoryStore());
    const relay = await rig({ store, relay: { leaseTtlMs: 60 } });
    const sessionId = await relay.newSession();
    fail("renew", "before");
    const before = calls("renew");
    await until(() => calls("renew") > before + 1);
    await relay.prompt(sessionId);
    await relay.close();
  });
});

describe("a history that is longer than the client reads", () => {
  it("is read from the store at the client's pace, a page or two ahead of it [REQ load-memory, back-pressure]", async () => {
    const inner = openMemoryStore();
    let readChars = 0;
    const store = new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== "read") return typeof value === "function" ? (value.bind(target) as unknown) : value;
        return async function* (...args: Parameters<Store["read"]>) {
          for await (const page of target.read(...args)) {
            readChars += page.reduce((sum, { data }) => sum + data.length, 0);
            yield page;
          }
        };
      },
    });
    const stalled = gate();
    const relay = await rig({ store, clientReads: () => stalled.passed });
    const sessionId = await relay.newSession();
    await relay.client.request("session/close", { sessionId });
    const [entries, textChars] = [160, 1 << 17];
    for (let n = 0; n < entries; n += 1) {
      const content = "x".repeat(textChars);
      await relay.registry.addMessage(toSessionId(sessionId), { role: "assistant", content });
    }
    const loading = relay.load(sessionId);
    await until(() => relay.updates.length > 0);
    // Whatever is not held back by the client's silence comes now.
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(readChars).toBeLessThan(4 << 20);
    stalled.open();
    await loading;
    expect(relay.updates).toHaveLength(entries);
    expect(readChars).toBeGreaterThan(entries * textChars);
    await relay.close();
  });
});
