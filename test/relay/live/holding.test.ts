import { afterEach, describe, expect, it, vi } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { initialized, rig, until, type RigOptions } from "../rig.ts";
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

describe("a session that somebody else has by now, which nobody here has noticed", () => {
  const script = { initialize: initialized({ fork: {}, close: {} }) };
  /** Held by the first, as it believes. */
  async function takenOver(more: RigOptions = {}) {
    const store = openMemoryStore();
    const first = await rig({ store, script, ...more });
    const sessionId = await first.newSession();
    await first.prompt(sessionId, "by the first");
    const second = await rig({ store });
    await second.load(sessionId);
    await second.prompt(sessionId, "by the second");
    const end = () => Promise.all([first.close(), second.close()]);
    return { first, second, sessionId, end };
  }
  const lost = { message: expect.stringMatching(/; load it again to take it back$/) as string };
  const refused = { ...lost, data: { code: "LEASE_LOST" } };

  it("is refused to whatever would write to it, and the client is told in words at once", async () => {
    const asked = [
      ["session/prompt", { prompt: [{ type: "text", text: "x" }] }],
      ["session/set_mode", { modeId: "code" }],
      ["session/set_config_option", { configId: "model", value: "x" }],
      ["_acp-sidecar/rewind", { at: 1 }],
    ] as const;
    for (const [method, params] of asked) {
      const { first, sessionId, end } = await takenOver({ relay: { leaseTtlMs: 3_600_000 } });
      await expect(first.client.request(method, { sessionId, ...params })).rejects.toMatchObject(refused);
      await until(() => first.shown().includes("taken over elsewhere"));
      await expect(first.client.request(method, { sessionId, ...params })).rejects.toMatchObject(refused);
      await end();
    }
  });

  it("is forked as anybody's is, with what the other one has done in it", async () => {
    const { first, sessionId, end } = await takenOver();
    for (const _ of ["not noticed yet", "noticed"]) {
      const fork = { sessionId, cwd: "/work", mcpServers: [] };
      const forked = (await first.client.request("session/fork", fork)) as { sessionId: string };
      await first.prompt(forked.sessionId, "in the fork");
      const [sent] = first.agentNow().heardOf("session/prompt").slice(-1);
      expect(JSON.stringify(sent)).toContain("by the second");
    }
    expect(first.agentNow().heardOf("session/fork")).toEqual([]);
    await end();
  });

  it("is named as anybody's is: a title takes it from nobody", async () => {
    const { first, second, sessionId, end } = await takenOver();
    for (const title of ["not noticed yet", "noticed"]) {
      expect(await first.client.request("session/set_title", { sessionId, title })).toMatchObject({ title });
      expect(await second.registry.get(toSessionId(sessionId))).toMatchObject({ title });
    }
    expect(await second.prompt(sessionId)).toEqual({ stopReason: "end_turn" });
    await end();
  });

  it("is nobody's matter of a client that has nothing open: each prompt asks anew whose it is", async () => {
    const { first, second, sessionId, end } = await takenOver({ relay: { front: "request" } });
    expect(await first.prompt(sessionId, "mine")).toEqual({ stopReason: "end_turn" });
    const [sent] = first.agentNow().heardOf("session/prompt").slice(-1);
    expect(JSON.stringify(sent)).toContain("by the second");
    await expect(second.prompt(sessionId)).rejects.toMatchObject(refused);
    await end();
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
