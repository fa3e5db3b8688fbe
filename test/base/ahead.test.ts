import { expect, it } from "vitest";
import { ahead } from "../../src/base/ahead.ts";

async function* upTo(last: number) {
  for (let n = 1; n <= last; n += 1) yield n;
}

it("gives what is made of things in their order, with so many under way", async () => {
  const begun: number[] = [];
  const ends = new Map<number, () => void>();
  const work = (n: number) => {
    begun.push(n);
    return new Promise<number>((resolve) => ends.set(n, () => resolve(10 * n)));
  };
  const results = ahead(upTo(5), 3, work);
  const first = results.next();
  while (begun.length < 3) await new Promise(setImmediate);
  for (const n of [3, 2, 1]) ends.get(n)?.();
  expect([await first, begun]).toEqual([{ done: false, value: 10 }, [1, 2, 3]]);
  const rest: number[] = [];
  const reading = (async () => {
    for await (const value of results) rest.push(value);
  })();
  while (begun.length < 5) await new Promise(setImmediate);
  for (const n of [5, 4]) ends.get(n)?.();
  await reading;
  expect(rest).toEqual([20, 30, 40, 50]);
});

it("tells a failure when its turn has come, and ends with nothing under way", async () => {
  let underway = 0;
  const work = async (n: number) => {
    underway += 1;
    await new Promise(setImmediate);
    underway -= 1;
    if (n === 2) throw new Error("the second");
    return n;
  };
  const given: number[] = [];
  await expect(async () => {
    for await (const value of ahead(upTo(9), 4, work)) given.push(value);
  }).rejects.toThrow("the second");
  expect([given, underway]).toEqual([[1], 0]);
  for await (const value of ahead(upTo(9), 4, async (n) => (await work(1), n))) if (value === 1) break;
  expect(underway).toBe(0);
});
