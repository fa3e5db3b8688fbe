import { expect, it } from "vitest";
import { crc32, crc32ByTable } from "../../src/base/crc32.ts";

it("is the same whichever way it is computed", () => {
  for (const text of ["", "a", "123456789", "é🚂".repeat(1000)]) expect(crc32(text)).toBe(crc32ByTable(text));
  expect(crc32ByTable("123456789")).toBe(0xcbf43926);
});
