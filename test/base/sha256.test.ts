import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { sha256Of } from "../../src/base/sha256.ts";

it("hashes a text the same as a whole and in pieces, wherever characters of two halves stand", () => {
  for (const text of ["", "a", "é😀", "😀".repeat(300_000), `a${"😀".repeat(300_000)}`, "x".repeat(1 << 20)])
    expect(sha256Of(text)).toBe(createHash("sha256").update(text).digest("hex"));
});
