import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutBlock, encodeBlocks, entriesIn } from "../../../src/store/server/blocks.ts";
import type { NewEntry } from "../../../src/store/contract.ts";

const entries = fc.array(
  fc.record({
    kind: fc.constantFrom<NewEntry["kind"]>("prompt", "update", "end"),
    atMs: fc.nat(),
    data: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constant("\n 1 2 update 3 4\n"),
      fc.constant("é🚂\u0000"),
    ),
  }),
  { maxLength: 250 },
);

describe("blocks of entries", () => {
  it("give back what was put in, whatever is in it, from any entry through any other", () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.nat(), fc.nat(), (given, before, a, b) => {
        const texts = encodeBlocks(before + 1, given).map(({ text }) => text);
        const numbered = given.map((entry, index) => ({ seq: before + 1 + index, ...entry }));
        const [from, through] = [before + 1 + (a % 260), before + 1 + (b % 260)];
        expect(entriesIn(texts, before + 1, before + given.length)).toEqual(numbered);
        expect(entriesIn(texts, from, through)).toEqual(
          numbered.filter(({ seq }) => seq >= from && seq <= through),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("can be cut before any entry", () => {
    const given = Array.from({ length: 5 }, (_, i): NewEntry => ({ kind: "update", atMs: i, data: `${i}` }));
    const [block] = encodeBlocks(11, given);
    for (let from = 11; from <= 16; from += 1) {
      const cut = cutBlock(block?.text ?? "", from).map(({ text }) => text);
      expect(entriesIn(cut, 11, 99).map(({ seq }) => seq)).toEqual([11, 12, 13, 14, 15].slice(0, from - 11));
    }
  });

  it("are small whatever they are made of, but for an entry that is large by itself", () => {
    const large: NewEntry = { kind: "update", atMs: 1, data: "x".repeat(1 << 16) };
    expect(encodeBlocks(1, Array(5).fill(large) as NewEntry[])).toHaveLength(5);
    const small: NewEntry = { ...large, data: "x" };
    expect(encodeBlocks(1, Array(250).fill(small) as NewEntry[]).map(({ count }) => count)).toEqual([
      100, 100, 50,
    ]);
  });
});
