import { afterEach, describe, expect, it, vi } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { rig, until } from "../rig.ts";
import { flaky } from "../../session/flaky-store.ts";

const never = () => new Promise<never>(() => undefined);

afterEach(() => {
  vi.useRealTimers();
});

describe("a session that is taken by somebody else while it is being loaded", () => {
  it("is lost until it is loaded again: no prompt takes it back", async () => {
    const { store, hold, calls } = flaky(openMemoryStore());
    const first = await rig({ store });
    const sessionId = await first.newSession();
    await first.client.request("session/close", { sessionId });
    const second = await rig({ store });
    const [acquired, release] = [calls("acquire"), hold("acquire")];
    const loading = first.load(sessionId);
    await until(() => calls("acquire") > acquired);
    await second.load(sessionId);
    release();
    await expect(loading).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await expect(first.prompt(sessionId)).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await first.load(sessionId);
    expect(await first.prompt(sessionId)).toEqual({ stopReason: "end_turn" });
    await Promise.all([first.close(), second.close()]);
  });
});

describe("a session that somebody else has taken while nobody here asked for it", () => {
  it("is taken back by the first load, as any session is; a turn that ran in it is lost [REQ lease-idle]", async () => {
    const never = new Promise(() => undefined);
    const store = openMemoryStore();
    const first = await rig({
      store,
      registry: { onBusy: "takeover" },
      script: { "session/prompt": () => never },
    });
    const sessionId = await first.newSession();
    const second = await rig({ store, registry: { onBusy: "takeover" } });
    await second.load(sessionId);
    await first.load(sessionId);
    await expect(second.prompt(sessionId)).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    const lost = expect(first.prompt(sessionId)).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await until(() => first.agentNow().heardOf("session/prompt").length === 1);
    await second.load(sessionId);
    await first.load(sessionId);
    await lost;
    await Promise.all([first.close(), second.close()]);
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
