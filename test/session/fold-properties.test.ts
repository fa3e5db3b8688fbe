import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldEntries } from "../../src/session/fold.ts";
import type { Entry, NewEntry } from "../../src/store/contract.ts";
import { anyItem } from "./any-item.ts";
import { contentsOf, entriesOf } from "./entries.ts";

const numbered = (entries: readonly NewEntry[]): Entry[] =>
  entries.map((entry, n) => ({ seq: n + 1, ...entry }));

describe("any stretch of a journal", () => {
  const items = fc.array(anyItem, { maxLength: 25 });

  /** What each sender said under each id. */
  function said(entries: readonly NewEntry[]): Record<string, string> {
    const texts: Record<string, string> = {};
    for (const content of contentsOf(entries)) {
      if (typeof content === "string" || !/^(agent|user)_/.test(content.sessionUpdate)) continue;
      const { text } = content["content"] as { text?: string };
      const key = `${content.sessionUpdate} ${JSON.stringify(content["messageId"] ?? null)}`;
      texts[key] = (texts[key] ?? "") + (text ?? "[image]");
    }
    return texts;
  }

  it("is folded once and for all: folding what is folded changes nothing", () => {
    fc.assert(
      fc.property(items, (given) => {
        const folded = foldEntries(entriesOf(given));
        expect(foldEntries(numbered(folded))).toEqual(folded);
      }),
      { numRuns: 1000 },
    );
  });

  it("says the same when it is folded: every word of every message, in order", () => {
    fc.assert(
      fc.property(items, (given) => {
        const entries = entriesOf(given);
        expect(said(foldEntries(entries))).toEqual(said(entries));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps every entry that is no update, and every update that nobody knows, in order", () => {
    const kept = (entries: readonly NewEntry[]) =>
      contentsOf(entries).filter((each) => typeof each === "string" || each.sessionUpdate === "_vendor_news");
    fc.assert(
      fc.property(items, (given) => {
        const entries = entriesOf(given);
        expect(kept(foldEntries(entries))).toEqual(kept(entries));
      }),
    );
  });

  it("is never longer for being folded", () => {
    fc.assert(fc.property(items, (given) => foldEntries(entriesOf(given)).length <= given.length));
  });
});
