import { afterEach, describe, expect, it, vi } from "vitest";
import { rig, until } from "./rig.ts";

const never = () => new Promise<never>(() => undefined);

afterEach(() => {
  vi.useRealTimers();
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
