import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isJsonObjectText } from "../../src/base/json.ts";
import { foldEntries } from "../../src/session/fold.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import { anyItem } from "./any-item.ts";
import { anyDraw, meant, spelled } from "./any-spelling.ts";
import { compaction, newEntry, piece } from "./entries.ts";

describe("a stretch of a journal, however its entries are written", () => {
  const means = (entries: readonly NewEntry[]) =>
    entries.map((each) => ({ ...each, data: meant(each.data) }));

  it("is folded to what it is when they are written as usual", () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 12 }), anyDraw, (items, draw) => {
        const usual = items.map((item, n) => newEntry(item, n));
        const odd = usual.map((each) => ({ ...each, data: spelled(JSON.parse(each.data), draw) }));
        expect(means(odd)).toEqual(means(usual));
        // What is written too oddly to be joined stays beside it, and is joined when it is written anew.
        const folded = foldEntries(odd).map((each) => ({
          ...each,
          data: JSON.stringify(JSON.parse(each.data)),
        }));
        expect(means(foldEntries(folded))).toEqual(means(foldEntries(usual)));
      }),
      { numRuns: 200 },
    );
  });

  it("keeps of what is named twice the last, to the letter", () => {
    const first = {
      kind: "update",
      atMs: 1,
      data: `{"update":null,"update":${JSON.stringify(piece("a"))}}`,
    } as const;
    const [folded] = foldEntries([first, newEntry(piece("b"))]);
    const summary = [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ];
    expect(JSON.parse(folded?.data ?? "")).toEqual({
      update: compaction({ status: "in_progress", summary }),
    });
  });

  it.each([
    '{"acp-sidecar.child":"a\\"b","update":{"sessionUpdate":"tool_call","toolCallId":"t"}}',
    '{"acp-sidecar.child":"x" ,"update":{"sessionUpdate":"tool_call","toolCallId":"t"}}',
    '{"acp-sidecar.child":"x"}',
    '{"acp-sidecar.lastMs":5,"update":{"sessionUpdate":"tool_call","toolCallId":"t"}}',
    '{"update":{"sessionUpdate":"tool_call","toolCallId":"t"},"acp-sidecar.lastMs":5e0}',
  ])("keeps what looks like a mark of ours to the letter: %s", (data) => {
    const entry = { kind: "update", atMs: 1, data } as const;
    const next = newEntry({ sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" });
    expect(foldEntries([entry])).toEqual([entry]);
    for (const folded of foldEntries([entry, next])) expect(isJsonObjectText(folded.data)).toBe(true);
    const [mark = "none"] = /"acp-sidecar[^}]*?(?=\}|,"update")/.exec(data) ?? [];
    expect(foldEntries([entry, next])[0]?.data).toContain(mark);
  });
});
