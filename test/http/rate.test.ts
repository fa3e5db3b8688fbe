import { expect, it } from "vitest";
import { Rate } from "../../src/http/rate.ts";

it("gives a second's worth at once, and then as much as time goes on", () => {
  let nowMs = 0;
  const rate = new Rate(4, () => nowMs);
  const taken = (wanted: number) => Array.from({ length: wanted }, () => rate.take()).filter(Boolean).length;
  expect(taken(10)).toBe(4);
  nowMs += 250;
  expect(taken(10)).toBe(1);
  nowMs += 3_600_000;
  expect(taken(10)).toBe(4);
});
