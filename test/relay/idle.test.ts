/** Which sessions are held, for how long, and what an idle one keeps. */
import { describe, expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { flaky } from "../session/flaky-store.ts";
import { initialized, rig, gate, until } from "./rig.ts";

describe("a session that is idle", () => {
  it("is let go, at the agent and in the store, and the next prompt takes it up again", async () => {
    const proxy = await rig({
      registry: { idleTimeoutMs: -1 },
      script: { initialize: initialized({ close: {}, resume: {} }) },
    });
    const sessionId = await proxy.newSession();
    await proxy.registry.sweep();
    expect(proxy.agentNow().heardOf("session/close")).toEqual([{ sessionId: "agent-1" }]);
    expect((await proxy.registry.get(toSessionId(sessionId))).lease).toBeUndefined();
    expect(proxy.registry.live.size).toBe(0);
    await proxy.prompt(sessionId);
    expect(
      proxy
        .agentNow()
        .heardOf("session/resume")
        .map((params) => params["sessionId"]),
    ).toEqual(["agent-1"]);
    expect(proxy.registry.live.size).toBe(1);
    await proxy.close();
  });

  it("is not one in a turn, however long that takes; its idle time begins with the turn's end", async () => {
    let nowMs = Date.now();
    const turn = gate();
    const proxy = await rig({
      registry: { idleTimeoutMs: 1000, now: () => nowMs },
      script: { "session/prompt": () => turn.passed.then(() => ({ stopReason: "end_turn" })) },
    });
    const sessionId = await proxy.newSession();
    const answer = proxy.prompt(sessionId);
    await until(() => proxy.agentNow().heardOf("session/prompt").length === 1);
    nowMs += 5000;
    await proxy.registry.sweep();
    expect([proxy.registry.live.size, (await proxy.registry.get(toSessionId(sessionId))).lease]).toEqual([
      1,
      expect.anything(),
    ]);
    nowMs += 5000;
    turn.open();
    await answer;
    await proxy.registry.sweep();
    expect(proxy.registry.live.size).toBe(1);
    nowMs += 5000;
    await proxy.registry.sweep();
    expect(proxy.registry.live.size).toBe(0);
    await proxy.close();
  });

  it("is not one whose agent has something to say between two turns; one whose agent never ends its turn is [REQ prompt-outside, config-idle]", async () => {
    let nowMs = Date.now();
    const proxy = await rig({
      registry: { idleTimeoutMs: 1000, now: () => nowMs },
      proxy: { cancelGraceMs: 1 },
      script: { "session/prompt": () => new Promise(() => undefined) },
    });
    const sessionId = await proxy.newSession();
    nowMs += 900;
    await proxy.agentNow().say("agent-1", "on my own");
    await until(() => proxy.shown() === "on my own");
    nowMs += 900;
    await proxy.registry.sweep();
    expect(proxy.registry.live.size).toBe(1);
    const answer = proxy.prompt(sessionId);
    await until(() => proxy.agentNow().heardOf("session/prompt").length === 1);
    await proxy.client.notify("session/cancel", { sessionId });
    expect(await answer).toEqual({ stopReason: "cancelled" });
    nowMs += 1100;
    await proxy.registry.sweep();
    expect(proxy.registry.live.size).toBe(0);
    await proxy.close();
  });
});

describe("an attach that could not be recorded", () => {
  it("is made again with the next request", async () => {
    const { store, fail } = flaky(openMemoryStore());
    const proxy = await rig({ store });
    const sessionId = await proxy.newSession();
    proxy.agentNow().die();
    fail("update", "before");
    await expect(proxy.client.request("session/set_mode", { sessionId, modeId: "m" })).rejects.toMatchObject({
      data: { code: "STORE_FAILED" },
    });
    await proxy.prompt(sessionId);
    expect((await proxy.registry.get(toSessionId(sessionId))).agentSessionIds).toEqual([
      "agent-1",
      "agent-3",
    ]);
    await proxy.close();
  });
});
