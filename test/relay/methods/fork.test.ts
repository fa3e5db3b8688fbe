import { describe, expect, it } from "vitest";
import { rig } from "../rig.ts";

describe("a fork whose mode has to be chosen again", () => {
  it("does not wait for an agent that first has something to say, or to ask", async () => {
    const modes = {
      availableModes: [
        { id: "ask", name: "" },
        { id: "code", name: "" },
      ],
      currentModeId: "ask",
    };
    let count = 0;
    const relay = await rig({
      script: {
        "session/new": () => ({ sessionId: `s-${(count += 1)}`, modes }),
        "session/set_mode": async ({ sessionId }, agent) => {
          await agent.connection.notify("_vendor/mode", { sessionId });
          await agent.connection.request("session/request_permission", {
            sessionId,
            options: [],
            toolCall: {},
          });
          return {};
        },
      },
    });
    const parent = await relay.newSession();
    await relay.client.request("session/set_mode", { sessionId: parent, modeId: "code" });
    const fork = await relay.client.request("session/fork", {
      sessionId: parent,
      cwd: "/work",
      mcpServers: [],
    });
    expect(fork).toMatchObject({ modes: { currentModeId: "code" } });
    await relay.close();
  });
});
