import { describe, expect, it } from "vitest";
import { Queue } from "../../src/base/queue.ts";

describe("a queue", () => {
  it("runs one task at a time, in the order of the calls", async () => {
    const queue = new Queue();
    const log: string[] = [];
    const task = (name: string, steps: number) => async () => {
      log.push(`${name} starts`);
      for (let n = 0; n < steps; n += 1) await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      return name;
    };
    const results = [queue.run(task("a", 5)), queue.run(task("b", 0)), queue.run(task("c", 2))];
    expect(queue.length).toBe(3);
    await queue.idle();
    expect(log).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
    expect(await Promise.all(results)).toEqual(["a", "b", "c"]);
    expect(queue.length).toBe(0);
  });

  it("goes on behind a task that fails, and gives the failure to its caller alone", async () => {
    const queue = new Queue();
    const failing = queue.run(async () => {
      throw new Error("mine");
    });
    const next = queue.run(async () => "fine");
    await expect(failing).rejects.toThrow("mine");
    expect(await next).toBe("fine");
    await queue.idle();
  });

  it("is idle when what was in it then has ended, whatever comes later", async () => {
    const queue = new Queue();
    let free: () => void = () => undefined;
    void queue.run(async () => undefined);
    const idle = queue.idle();
    void queue.run(() => new Promise<void>((resolve) => (free = resolve)));
    await idle;
    expect(queue.length).toBe(1);
    free();
    await queue.idle();
  });
});
