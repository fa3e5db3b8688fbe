import { describe, expect, it } from "vitest";
import { Lane } from "../../src/base/queue.ts";

describe("a lane", () => {
  it("runs one task at a time, in the order of the calls", async () => {
    const lane = new Lane();
    const log: string[] = [];
    const task = (name: string, steps: number) => async () => {
      log.push(`${name} starts`);
      for (let n = 0; n < steps; n += 1) await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      return name;
    };
    const results = [lane.run(task("a", 5)), lane.run(task("b", 0)), lane.run(task("c", 2))];
    expect(lane.length).toBe(3);
    await lane.idle();
    expect(log).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
    expect(await Promise.all(results)).toEqual(["a", "b", "c"]);
    expect(lane.length).toBe(0);
  });

  it("goes on behind a task that fails, and gives the failure to its caller alone", async () => {
    const lane = new Lane();
    const failing = lane.run(async () => {
      throw new Error("mine");
    });
    const next = lane.run(async () => "fine");
    await expect(failing).rejects.toThrow("mine");
    expect(await next).toBe("fine");
    await lane.idle();
  });

  it("is idle when what was in it then has ended, whatever comes later", async () => {
    const lane = new Lane();
    let free: () => void = () => undefined;
    void lane.run(async () => undefined);
    const idle = lane.idle();
    void lane.run(() => new Promise<void>((resolve) => (free = resolve)));
    await idle;
    expect(lane.length).toBe(1);
    free();
    await lane.idle();
  });
});
