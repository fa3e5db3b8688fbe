import { describe, expect, it, vi } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { LiveSet } from "../../src/session/live.ts";

describe("the set of live sessions", () => {
  it("is bounded, and says so by its limit [REQ A5, A9]", () => {
    const live = new LiveSet(2);
    const [a, b, c] = [newSessionId(), newSessionId(), newSessionId()];
    live.add(a);
    live.add(b);
    live.add(a);
    expect(() => live.add(c)).toThrow(
      expect.objectContaining({
        code: "SESSION_LIMIT",
        data: { maxSessions: 2 },
        message: expect.stringContaining("--max-sessions") as string,
      }),
    );
    expect(() => live.checkRoom()).toThrow(expect.objectContaining({ code: "SESSION_LIMIT" }));
    live.remove(b);
    live.add(c);
    expect([live.size, live.has(a), live.has(b), live.has(c)]).toEqual([2, true, false, true]);
  });

  it("knows who has been idle, by the last activity", () => {
    let nowMs = 100;
    const live = new LiveSet(10, () => nowMs);
    const [a, b, c] = [newSessionId(), newSessionId(), newSessionId()];
    for (const id of [a, b]) live.add(id);
    nowMs = 200;
    live.touch(b);
    live.touch(c);
    expect(live.idleFor(100)).toEqual([]);
    expect(live.idleFor(99)).toEqual([a]);
    expect(live.idleFor(-1)).toEqual([a, b]);
    expect([live.isIdleFor(a, 99), live.isIdleFor(b, 99), live.isIdleFor(c, -1000)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("measures time, and does not follow a wall clock that jumps", () => {
    const live = new LiveSet(10);
    const id = newSessionId();
    live.add(id);
    const wall = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 9 * 3_600_000);
    expect(live.idleFor(3_600_000)).toEqual([]);
    wall.mockReturnValue(0);
    expect(live.idleFor(-1)).toEqual([id]);
    wall.mockRestore();
  });
});
