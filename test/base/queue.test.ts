import { describe, expect, it } from "vitest";
import { KeyedQueue, Queue } from "../../src/base/queue.ts";

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

describe("a keyed queue", () => {
  it("runs the tasks of one key in order, and those of different keys side by side", async () => {
    const queue = new KeyedQueue<string>();
    const log: string[] = [];
    let free: () => void = () => undefined;
    const first = queue.run("a", async () => {
      log.push("a1");
      await new Promise<void>((resolve) => (free = resolve));
      throw new Error("mine");
    });
    const second = queue.run("a", async () => log.push("a2"));
    await queue.run("b", async () => log.push("b1"));
    expect(log).toEqual(["a1", "b1"]);
    expect([queue.isBusy("a"), queue.isBusy("b")]).toEqual([true, false]);
    await queue.idle("b");
    free();
    await expect(first).rejects.toThrow("mine");
    await second;
    expect(log).toEqual(["a1", "b1", "a2"]);
    expect(queue.isBusy("a")).toBe(false);
  });

  it("is idle when the tasks of a key, or of all, have ended, however they ended", async () => {
    const queue = new KeyedQueue<string>();
    const ended: string[] = [];
    const failing = expect(
      queue.run("a", async () => {
        await new Promise((resolve) => setImmediate(resolve));
        ended.push("a");
        throw new Error("mine");
      }),
    ).rejects.toThrow("mine");
    const other = queue.run("b", async () => {
      for (let n = 0; n < 3; n += 1) await new Promise((resolve) => setImmediate(resolve));
      ended.push("b");
    });
    await queue.idle("a");
    expect(ended).toEqual(["a"]);
    await queue.idle();
    expect(ended).toEqual(["a", "b"]);
    await failing;
    await other;
  });

  it("goes on behind a task that throws before it waits for anything", async () => {
    const queue = new KeyedQueue<string>();
    const throws = () => {
      throw new Error("mine");
    };
    await expect(queue.run("a", throws)).rejects.toThrow("mine");
    expect(queue.isBusy("a")).toBe(false);
    expect(await queue.run("a", async () => "fine")).toBe("fine");
    expect(await queue.run("a", () => "at once")).toBe("at once");
    expect(queue.isBusy("a")).toBe(false);
  });
});

describe("calls in order", () => {
  it("go on behind one that failed, and do not hold up other keys", async () => {
    const order = new KeyedQueue<string>();
    const seen: string[] = [];
    let letGo = () => {};
    const held = order.run("a", () => new Promise<void>((resolve) => (letGo = resolve)));
    const failing = order.run("a", async () => {
      seen.push("a2");
      throw new Error("no");
    });
    const last = order.run("a", async () => void seen.push("a3"));
    await order.run("b", async () => void seen.push("b"));
    expect(seen).toEqual(["b"]);
    letGo();
    await Promise.all([held, expect(failing).rejects.toThrow("no"), last]);
    expect(seen).toEqual(["b", "a2", "a3"]);
    await order.idle();
  });
});
