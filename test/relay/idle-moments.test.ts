import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { IdleMoments } from "../../src/relay/idle-moments.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function quietly(isBusy: () => boolean = () => false) {
  const signals: AbortSignal[] = [];
  const ends: (() => void)[] = [];
  const act = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  return { idle: new IdleMoments({ quietMs: 1000, isBusy, act }), signals, end: () => ends.at(-1)?.() };
}

it("acts once after quiet, and wakes nobody again until something came", async () => {
  const { idle, signals, end } = quietly();
  expect(vi.getTimerCount()).toBe(0);
  idle.noteBegun();
  idle.noteDone();
  await vi.advanceTimersByTimeAsync(990);
  idle.noteBegun();
  idle.noteDone();
  await vi.advanceTimersByTimeAsync(990);
  expect(signals).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(20);
  expect(signals).toHaveLength(1);
  end();
  await vi.advanceTimersByTimeAsync(100_000);
  expect([signals.length, vi.getTimerCount()]).toEqual([1, 0]);
});

it("does not act while something is being done, or runs by itself", async () => {
  let isBusy = true;
  const { idle, signals } = quietly(() => isBusy);
  idle.noteBegun();
  idle.noteBegun();
  idle.noteDone();
  await vi.advanceTimersByTimeAsync(10_000);
  idle.noteDone();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(signals).toHaveLength(0);
  isBusy = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(signals).toHaveLength(1);
});

it("is told to end by whatever comes, and acts again only when it has", async () => {
  const { idle, signals, end } = quietly();
  idle.noteBegun();
  idle.noteDone();
  await vi.advanceTimersByTimeAsync(1000);
  expect(signals[0]?.aborted).toBe(false);
  idle.noteBegun();
  expect(signals[0]?.aborted).toBe(true);
  idle.noteDone();
  await vi.advanceTimersByTimeAsync(5000);
  expect(signals).toHaveLength(1);
  end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(signals).toHaveLength(2);
  idle.close();
  expect(signals[1]?.aborted).toBe(true);
  idle.noteBegun();
  idle.noteDone();
  expect(vi.getTimerCount()).toBe(0);
});
