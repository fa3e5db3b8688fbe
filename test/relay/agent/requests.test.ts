import { describe, expect, it } from "vitest";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { rig, until } from "../rig.ts";
import { flaky } from "../../session/flaky-store.ts";

describe("a permission that is asked for while its turn is being ended", () => {
  it("is answered cancelled, and the client is not asked [REQ cancel-permission]", async () => {
    const { store, hold, calls } = flaky(openMemoryStore());
    const asked: unknown[] = [];
    let [release, before] = [() => {}, Infinity];
    const relay = await rig({
      store,
      relay: { cancelGraceMs: 1 },
      client: { "session/request_permission": (params) => void asked.push(params) },
      script: {
        "session/prompt": async ({ sessionId }, agent) => {
          [release, before] = [hold("append"), calls("append")];
          const params = { sessionId, options: [], toolCall: {} };
          return {
            stopReason: "end_turn",
            _meta: await agent.connection.request("session/request_permission", params),
          };
        },
      },
    });
    const sessionId = await relay.newSession();
    const answer = relay.prompt(sessionId);
    await until(() => calls("append") > before);
    await relay.client.notify("session/cancel", { sessionId });
    await until(() => relay.agentNow().heardOf("session/cancel").length === 1);
    // Timers fire in the order of their times: the grace time is over then.
    await new Promise((resolve) => setTimeout(resolve, 5));
    release();
    expect(await answer).toEqual({ stopReason: "cancelled" });
    expect(asked).toEqual([]);
    await relay.close();
  });
});
