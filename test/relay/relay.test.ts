import { afterEach, describe, expect, it, vi } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { collect } from "../../src/session/pages.ts";
import { type Rig, initialized, rig, until } from "./rig.ts";

const never = () => new Promise<never>(() => undefined);

afterEach(() => {
  vi.useRealTimers();
});

async function kindsOf({ store }: Pick<Rig, "store">, sessionId: string): Promise<string[]> {
  return (await collect(store.read(toSessionId(sessionId)))).map(({ kind }) => kind);
}

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

describe("a request that is too long to be read", () => {
  const long = { path: "/x", content: "x".repeat(2 << 20) };

  it("is answered under its id, the client's and the agent's [REQ answer-once]", async () => {
    let answered: unknown;
    const relay = await rig({
      script: {
        "session/prompt": async ({ sessionId }, agent) => {
          const params = { sessionId, ...long };
          answered = await agent.connection
            .request("fs/write_text_file", params)
            .catch((error: unknown) => error);
          return { stopReason: "end_turn" };
        },
      },
    });
    await relay.prompt(await relay.newSession());
    const tooLong = { code: -32600, data: { code: "MESSAGE_TOO_LARGE" } };
    expect(answered).toMatchObject(tooLong);
    await expect(relay.client.request("_vendor/store", long)).rejects.toMatchObject(tooLong);
    await relay.close();
  });
});
