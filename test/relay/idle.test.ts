/** Which sessions are held, for how long, and what an idle one keeps. */
import { describe, expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { flaky } from "../session/flaky-store.ts";
import { initialized, rig, gate, until } from "./rig.ts";

describe("a session that is idle", () => {
  it("is let go, at the agent and in the store, and the next prompt takes it up again", async () => {
    const relay = await rig({
      registry: { idleTimeoutMs: -1 },
      script: { initialize: initialized({ close: {}, resume: {} }) },
    });
    const sessionId = await relay.newSession();
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

  it("is not one in a turn, however long that takes; its idle time begins with the turn's end", async () => {
    let nowMs = Date.now();
    const turn = gate();
    const relay = await rig({
      registry: { idleTimeoutMs: 1000, now: () => nowMs },
      script: { "session/prompt": () => turn.passed.then(() => ({ stopReason: "end_turn" })) },
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
      script: { "session/prompt": () => new Promise(() => undefined) },
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

describe("an attach that could not be recorded", () => {
  it("is made again with the next request", async () => {
    const { store, fail } = flaky(openMemoryStore());
    const relay = await rig({ store });
    const sessionId = await relay.newSession();
    relay.agentNow().die();
    fail("update", "before");
    await expect(relay.client.request("session/set_mode", { sessionId, modeId: "m" })).rejects.toMatchObject({
      data: { code: "STORE_FAILED" },
    });
    await relay.prompt(sessionId);
    expect((await relay.registry.get(toSessionId(sessionId))).agentSessionIds).toEqual([
      "agent-1",
      "agent-3",
    ]);
    await relay.close();
  });
});
