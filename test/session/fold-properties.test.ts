import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldEntries } from "../../src/session/fold.ts";
import type { Entry, NewEntry } from "../../src/store/contract.ts";
import {
  chunk,
  compaction,
  contentsOf,
  end,
  entriesOf,
  image,
  piece,
  plan,
  prompt,
  tool,
  unknown,
  type Item,
} from "./entries.ts";

const numbered = (entries: readonly NewEntry[]): Entry[] =>
  entries.map((entry, n) => ({ seq: n + 1, ...entry }));

describe("any stretch of a journal", () => {
  const ids = fc.constantFrom(undefined, null, "1", "2");
  const senders = fc.constantFrom("agent_message_chunk", "agent_thought_chunk", "user_message_chunk");
  const item: fc.Arbitrary<Item> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(fc.string({ maxLength: 3 }), ids, senders).map((args) => chunk(...args)),
    },
    fc.constantFrom(image(), image("1"), chunk("n", "1", "agent_message_chunk", { annotations: {} })),
    fc
      .tuple(fc.nat(3), fc.constantFrom("tool_call", "tool_call_update"), fc.constantFrom("t", "u"))
      .map(([n, kind, id]) =>
        tool({ [n % 2 === 0 ? "title" : "rawOutput"]: `${n}`, ...(n === 3 && { _meta: { n } }) }, kind, id),
      ),
    fc.constantFrom(plan("a"), plan("b"), unknown(1), unknown(2), prompt(), end),
    fc.constantFrom({ sessionUpdate: "usage_update", used: 1 }, { sessionUpdate: "usage_update", used: 2 }),
    fc.constantFrom(
      { sessionUpdate: "session_info_update", title: "t" },
      { sessionUpdate: "session_info_update", a: 1 },
    ),
    fc.constantFrom(
      piece("a"),
      piece("b"),
      compaction({ status: "completed" }),
      compaction({ status: "s", summary: null }),
    ),
    fc.constantFrom<Item>({ kind: "request", data: { id: 1 } }, { kind: "setting", data: { method: "m" } }),
  );
  const items = fc.array(item, { maxLength: 25 });

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
