import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Interval } from "../../src/base/interval.ts";

describe("an interval [REQ B4]", () => {
  it("makes a round at each interval, never two at once", async () => {
    let [rounds, atOnce, most] = [0, 0, 0];
    const enough = new Promise<void>((resolve) => {
      const interval = new Interval(1, async () => {
        rounds += 1;
        atOnce += 1;
        most = Math.max(most, atOnce);
        await pause(5);
        atOnce -= 1;
        if (rounds === 3) void interval.close().then(resolve);
      });
    });
    // The interval is no reason to stay alive, so the test has to be one.
    const alive = setInterval(() => undefined, 1000);
    await enough;
    clearInterval(alive);
    expect([rounds, most]).toEqual([3, 1]);
  });

  it("is closed when the round that runs has ended, and makes no other", async () => {
    let rounds = 0;
    let ended = false;
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (started = resolve));
    const interval = new Interval(1, async () => {
      rounds += 1;
      started();
      await pause(20);
      ended = true;
    });
    await Promise.all([running, pause(10)]);
    await interval.close();
    expect(ended).toBe(true);
    await pause(10);
    expect(rounds).toBe(1);
  });
});
