import { expect, it } from "vitest";
import { crc32, crc32ByTable } from "../../src/base/crc32.ts";

it("is the same whichever way it is computed", () => {
  for (const text of ["", "a", "123456789", "é🚂".repeat(1000)]) expect(crc32(text)).toBe(crc32ByTable(text));
  expect(crc32ByTable("123456789")).toBe(0xcbf43926);
});

it("takes a long text piece by piece, and never half a character", () => {
  for (const start of ["", "a", "é", "🚂", "aé"]) {
    const text = start + "🚂".repeat(400_000) + "é";
    expect(crc32(text, 7)).toBe(crc32ByTable(text, 7));
  }
  expect(crc32("\ud83d".repeat(300_000))).toBe(crc32ByTable("\ud83d".repeat(300_000)));
});
