import { describe, expect, it } from "vitest";
import { initialized, rig } from "../rig.ts";

describe("an agent that counts its sessions anew after a restart", () => {
  it("is not given one session for two", async () => {
    let count = 0;
    const known = new Set<unknown>();
    const relay = await rig({
      script: {
        initialize: () => {
          count = 0;
          known.clear();
          return initialized({ resume: {} })();
        },
        "session/new": () => {
          const sessionId = `s-${(count += 1)}`;
          known.add(sessionId);
          return { sessionId };
        },
        "session/resume": ({ sessionId }) => {
          if (!known.has(sessionId)) throw new Error("forgotten");
          return {};
        },
        "session/prompt": async ({ sessionId }, agent) => {
          await agent.say(String(sessionId), `in ${String(sessionId)}`);
          return { stopReason: "end_turn" };
        },
      },
    });
    const [a, b] = [await relay.newSession(), await relay.newSession()];
    relay.agentNow().die();
    await relay.prompt(b);
    await relay.prompt(a);
    const prompts = relay
      .agentNow()
      .heardOf("session/prompt")
      .map(({ sessionId }) => sessionId);
    expect(new Set(prompts).size).toBe(2);
    expect(relay.updates.map(({ sessionId }) => sessionId)).toEqual([b, a]);
    await relay.close();
  });
});
