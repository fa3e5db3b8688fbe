import { describe, expect, it } from "vitest";
import { aloneOf, encodeEntry, lineOf, parseEntry } from "../../../src/store/file/line.ts";
import type { NewEntry } from "../../../src/store/contract.ts";

const batch = { of: 2, by: 3, until: 4, turn: true };
const entry = (data: string): NewEntry => ({ kind: "update", atMs: 1_700_000_000_000, data });
const large = `{"text":"${"ü\\n\u6f22 ".repeat(300_000)}"}`;

describe("the line of a large entry", () => {
  it.each([
    ["as it is", large],
    ["with a line break", large.replace("{", "{\n")],
    ["with half a character", large.replace("ü", "\ud800")],
  ])("%s is the same as that of any other, to the byte", (_what, data) => {
    for (const group of [undefined, batch]) {
      const bytes = lineOf(7, entry(data), group);
      expect(Buffer.isBuffer(bytes)).toBe(true);
      expect(Buffer.from(encodeEntry(7, entry(data), group)).equals(bytes as Buffer)).toBe(true);
      expect(parseEntry((bytes as Buffer).subarray(0, -1))).toEqual({ seq: 7, ...entry(data) });
    }
  });

  it("is taken over as it is where it says nothing of a lease, and not if it is damaged", () => {
    const alone = (lineOf(7, entry(large)) as Buffer).subarray(0, -1);
    expect(aloneOf(alone) === alone).toBe(true);
    const inBatch = (lineOf(7, entry(large), batch) as Buffer).subarray(0, -1);
    expect(aloneOf(inBatch) === encodeEntry(7, entry(large))).toBe(true);
    const damaged = Buffer.from(alone);
    damaged[1000] = (damaged[1000] ?? 0) ^ 1;
    expect(aloneOf(damaged) === undefined).toBe(true);
    const small = Buffer.from(encodeEntry(7, entry("{}"), batch)).subarray(0, -1);
    expect(aloneOf(small)).toBe(encodeEntry(7, entry("{}")));
  });
});
