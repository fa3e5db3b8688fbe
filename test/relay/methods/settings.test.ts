import { describe, expect, it } from "vitest";
import { initialized, rig } from "../rig.ts";

describe("session/set_title [issue 14.17]", () => {
  const told = ({ updates }: Awaited<ReturnType<typeof rig>>) =>
    updates
      .map(({ update }) => update)
      .filter(({ sessionUpdate }) => sessionUpdate === "session_info_update");

  it("is answered for an agent that keeps none; list and load show the new one", async () => {
    const relay = await rig();
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId);
    const answer = await relay.client.request("session/set_title", { sessionId, title: " Mine " });
    expect(answer).toEqual({ title: "Mine" });
    expect(await relay.client.request("session/list", {})).toMatchObject({ sessions: [{ title: "Mine" }] });
    await relay.load(sessionId);
    expect(told(relay)).toEqual([{ sessionUpdate: "session_info_update", title: "Mine" }]);
    expect(relay.agents[0]?.heardOf("session/set_title")).toEqual([]);
    await relay.close();
  });

  it("reaches an agent that keeps titles, and what that makes of it counts", async () => {
    const script = {
      initialize: initialized({ title: {} }),
      "session/set_title": () => ({ title: "Agent's", _meta: { a: 1 } }),
    };
    const relay = await rig({ script });
    const sessionId = await relay.newSession();
    const params = { sessionId, title: "Mine", _meta: { b: 2 } };
    expect(await relay.client.request("session/set_title", params)).toEqual({
      title: "Agent's",
      _meta: { a: 1 },
    });
    expect(relay.agents[0]?.heardOf("session/set_title")).toMatchObject([
      { sessionId: "agent-1", title: "Mine", _meta: { b: 2 } },
    ]);
    expect(await relay.client.request("session/list", {})).toMatchObject({
      sessions: [{ title: "Agent's" }],
    });
    await relay.close();
  });

  it("is refused where nothing is left of it", async () => {
    const relay = await rig();
    const sessionId = await relay.newSession();
    const asked = relay.client.request("session/set_title", { sessionId, title: "  " });
    await expect(asked).rejects.toMatchObject({ code: -32602 });
    await relay.close();
  });

  it("is refused where it would be in the way in every list", async () => {
    const relay = await rig();
    const sessionId = await relay.newSession();
    const title = "x".repeat(1001);
    const asked = relay.client.request("session/set_title", { sessionId, title });
    await expect(asked).rejects.toMatchObject({
      code: -32602,
      message: expect.stringMatching(/1000/) as string,
    });
    await relay.close();
  });
});
