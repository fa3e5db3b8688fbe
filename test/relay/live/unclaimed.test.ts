import { describe, expect, it } from "vitest";
import { updateOfParams, type ArrivedUpdate } from "../../../src/acp/updates.ts";
import { Unclaimed } from "../../../src/relay/live/unclaimed.ts";

function update(sessionId: string, n = 0): ArrivedUpdate {
  return updateOfParams({ sessionId, update: { sessionUpdate: "_x", n, text: "x".repeat(2000) } });
}

function unclaimed() {
  const passed: string[] = [];
  const keeper = new Unclaimed(async (updates) => {
    passed.push(...updates.map(({ sessionId }) => sessionId));
  });
  return { keeper, passed };
}

describe("updates of sessions that nobody knows", () => {
  it("pass while no session is being made", async () => {
    const { keeper, passed } = unclaimed();
    await keeper.take([update("a"), update("b")]);
    expect(passed).toEqual(["a", "b"]);
  });

  it("wait for the one that is being made, and only its own are given to it", () => {
    const { keeper, passed } = unclaimed();
    keeper.expect();
    keeper.expect();
    expect(keeper.take([update("a", 1), update("b"), update("a", 2)])).toBeUndefined();
    expect(keeper.settled("a")).toEqual([update("a", 1), update("a", 2)]);
    expect(passed).toEqual([]);
    expect(keeper.settled(undefined)).toEqual([]);
    expect(passed).toEqual(["b"]);
  });

  it("are not kept without bound", async () => {
    const { keeper, passed } = unclaimed();
    keeper.expect();
    for (let n = 0; n < 500; n += 1) expect(keeper.take([update("flood", n)])).toBeUndefined();
    await keeper.take(Array.from({ length: 50 }, (_, n) => update("flood", n)));
    expect(passed.length).toBe(550);
    expect(keeper.settled("flood")).toEqual([]);
  });
});
