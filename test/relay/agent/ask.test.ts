import { describe, expect, it } from "vitest";
import { initialized, rig, until } from "../rig.ts";

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

describe("an answer of the agent that is longer than what is read", () => {
  it("ends the request with an error that says so, and work goes on [REQ answer-once]", async () => {
    let isLong = true;
    const relay = await rig({
      script: {
        "session/prompt": () => ({ stopReason: "end_turn", more: isLong ? "x".repeat(2 << 20) : "" }),
      },
    });
    const sessionId = await relay.newSession();
    await expect(relay.prompt(sessionId)).rejects.toMatchObject({ data: { code: "MESSAGE_TOO_LARGE" } });
    isLong = false;
    expect(await relay.prompt(sessionId)).toMatchObject({ stopReason: "end_turn" });
    await relay.close();
  });
});

describe("an answer that is none, or is too long and has its id behind", () => {
  it.each([
    ["neither result nor error", (id: unknown) => ({ id })],
    ["an error that is no object", (id: unknown) => ({ id, error: "boom" })],
    ["a long result, then the id", (id: unknown) => ({ result: "x".repeat(2 << 20), id })],
  ])("ends the request with an error all the same: %s [REQ answer-once]", async (_what, answer) => {
    const relay = await rig({
      script: {
        "session/set_mode": (_params, agent, { id }) => {
          void agent.connection.sendTexts([JSON.stringify({ jsonrpc: "2.0", ...answer(id) })]);
          return new Promise(() => undefined);
        },
      },
    });
    const sessionId = await relay.newSession();
    await expect(relay.client.request("session/set_mode", { sessionId, modeId: "x" })).rejects.toMatchObject({
      code: -32600,
    });
    await relay.close();
  });
});
