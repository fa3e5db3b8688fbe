import { describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { pagesBackwards } from "../../src/session/pages.ts";
import type { Entry, EntryRange } from "../../src/store/contract.ts";

const id = newSessionId();

/** A store of entries of so many characters, which counts what is asked of it. */
function counted(chars: number) {
  const asked = { reads: 0, entries: 0, mostHeld: 0 };
  const entryAt = (seq: number): Entry => ({ seq, kind: "update", atMs: 1, data: "x".repeat(chars) });
  return {
    asked,
    async *read(_id: string, { from = 1, through = 0 }: EntryRange = {}) {
      const length = through - from + 1;
      asked.reads += 1;
      asked.entries += length;
      asked.mostHeld = Math.max(asked.mostHeld, length * chars);
      yield Array.from({ length }, (_, at) => entryAt(from + at));
    },
  };
}

async function readBackwards(entries: number, chars: number) {
  const store = counted(chars);
  const seqs: number[] = [];
  for await (const page of pagesBackwards(store, id, entries))
    seqs.unshift(...page.map((entry) => entry.seq));
  expect(seqs).toEqual(Array.from({ length: entries }, (_, at) => at + 1));
  return store.asked;
}

describe("a journal that is read backwards", () => {
  it("takes few reads where entries are small, each entry once, however many there are", async () => {
    const [once, twice] = [await readBackwards(20_000, 50), await readBackwards(40_000, 50)];
    expect(once.entries).toBe(20_000);
    expect(twice.entries).toBe(40_000);
    expect(once.reads).toBeLessThan(10);
    expect(twice.reads).toBeLessThan(15);
  });

  it("holds little where they are large, and all of none but one", async () => {
    expect((await readBackwards(100, 100_000)).mostHeld).toBeLessThanOrEqual(2_000_000);
    expect((await readBackwards(1, 5_000_000)).reads).toBe(1);
    expect((await readBackwards(0, 1)).reads).toBe(0);
    const mixed = await readBackwards(21, 3_000_000);
    expect(mixed.reads).toBe(2);
  });
});
