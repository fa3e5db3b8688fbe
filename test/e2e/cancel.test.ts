/** `session/cancel`: by the agent, by us after the grace time, and of nothing. */
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const graceMs = 300;

let client: SdkClient;
beforeAll(async () => {
  client = await harness.connect({
    args: ["--cancel-grace", `${graceMs}ms`],
    answers: { "session/request_permission": () => new Promise(() => {}) },
  });
});

const agentMessages = () => client.program.agents()[0]?.messages ?? [];

/** Starts a turn and returns once its first update has come. */
async function startTurn(by: SdkClient, sessionId: string, text: string) {
  const from = by.program.out.length;
  const turn = by.prompt(sessionId, text);
  await by.untilUpdate(sessionId, () => true, from);
  return { turn };
}

describe("session/cancel", () => {
  it("reaches the agent under its own id, and the agent's answer ends the turn [REQ cancel-forward]", async () => {
    const { sessionId } = await client.newSession(cwd);
    const { turn } = await startTurn(client, sessionId, "until-cancel");
    await client.cancel(sessionId);
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    const prompt = agentMessages().findLast(({ method }) => method === "session/prompt");
    const cancel = agentMessages().findLast(({ method }) => method === "session/cancel");
    expect(cancel?.params?.["sessionId"]).toBe(prompt?.params?.["sessionId"]);
    expect(cancel?.params?.["sessionId"]).not.toBe(sessionId);
  });

  it("is answered by us when the agent does not end the turn in time [REQ cancel-grace]", async () => {
    const { sessionId } = await client.newSession(cwd);
    const { turn } = await startTurn(client, sessionId, "cancel-deaf 1500");
    const cancelledAtMs = Date.now();
    await client.cancel(sessionId);
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    const tookMs = Date.now() - cancelledAtMs;
    expect(tookMs).toBeGreaterThanOrEqual(graceMs - 20);
    expect(tookMs).toBeLessThan(1400);
  });

  it("keeps what the turn still says from the client, but in the journal [REQ cancel-late]", async () => {
    const { sessionId } = await client.newSession(cwd);
    const { turn } = await startTurn(client, sessionId, "cancel-deaf 900");
    await client.cancel(sessionId);
    await turn;
    const seen = client.program.out.updates(sessionId).length;
    // The agent serves sessions at the same time; this turn ends after the deaf one has.
    const other = await client.newSession(cwd);
    await client.prompt(other.sessionId, "slow 1000");
    expect(client.program.out.updates(sessionId)).toHaveLength(seen);
    expect(await client.say(sessionId, "hello")).toBe("echo: hello");
    const journaled = textOf(await client.replay(sessionId, cwd)).match(/deaf-\d+/g) ?? [];
    expect(journaled.length).toBeGreaterThan(seen);
    expect(journaled).toEqual(journaled.map((_, n) => `deaf-${n + 1}`));
  });

  it("answers the agent's open permission requests when the client does not [REQ cancel-permission]", async () => {
    const { sessionId } = await client.newSession(cwd);
    const turn = client.prompt(sessionId, "permission 2");
    const isAsked = ({ method, params }: { method?: string; params?: object }) =>
      method === "session/request_permission" && JSON.stringify(params).includes("tool-p2");
    await client.program.out.waitFor("permission request", isAsked);
    await client.cancel(sessionId);
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    await client.say(sessionId, "a round trip");
    const outcomes = agentMessages().filter(({ result }) => JSON.stringify(result)?.includes("outcome"));
    expect(outcomes.map(({ result }) => result)).toEqual([
      { outcome: { outcome: "cancelled" } },
      { outcome: { outcome: "cancelled" } },
    ]);
  });

  it("works with an agent that is deaf for ever, and the session goes on elsewhere [REQ cancel-grace]", async () => {
    const store = harness.storeUrl();
    const deaf = await harness.connect({ agent: ["deaf.mjs"], store, args: ["--cancel-grace", "100ms"] });
    const { sessionId } = await deaf.newSession(cwd);
    const { turn } = await startTurn(deaf, sessionId, "go");
    await deaf.cancel(sessionId);
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    expect((await harness.stop(deaf.program)).status).toBe(0);

    const next = await harness.connect({ store });
    expect(textOf(await next.replay(sessionId, cwd))).toContain("still-1 still-2 ");
  });

  it("reaches the agent between turns, and does nothing for an unknown session [REQ cancel-idle, bad-nothing]", async () => {
    const { sessionId } = await client.newSession(cwd);
    const sentBefore = agentMessages().length;
    const from = client.program.out.length;
    await client.cancel(sessionId);
    await client.cancel("01ARZ3NDEKTSV4RRFFQ69G5FAV");
    await client.cancel("no such thing");
    const { sessions } = await client.agent.request("session/list", {});
    expect(sessions).not.toEqual([]);
    expect(client.program.out.messages(from)).toHaveLength(1);
    expect(await client.say(sessionId, "hello")).toBe("echo: hello");
    const heard = agentMessages()
      .slice(sentBefore)
      .filter(({ method }) => method === "session/cancel" || method === "session/prompt");
    expect(heard.map(({ method }) => method)).toEqual(["session/cancel", "session/prompt"]);
    expect(heard[0]?.params?.["sessionId"]).toBe(heard[1]?.params?.["sessionId"]);
  });
});
