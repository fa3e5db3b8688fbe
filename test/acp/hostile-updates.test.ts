import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { childIn } from "../../src/acp/child-mark.ts";
import { TextChunks } from "../../src/acp/chunks.ts";
import { lastHeardMark } from "../../src/acp/last-heard.ts";
import { entriesOf } from "../../src/acp/update-entries.ts";
import { textsOf, updateOfParams, type UpdateParams } from "../../src/acp/updates.ts";
import { foldEntries } from "../../src/session/fold.ts";
import { anyItem } from "../session/any-item.ts";
import { anyDraw, meant, spelled } from "../session/any-spelling.ts";
import type { Update } from "../session/entries.ts";

const anyUpdate = anyItem.filter((item): item is Update => "sessionUpdate" in item);
/** What only the journal itself says of an entry. */
const ours = fc.record(
  {
    "acp-sidecar.child": fc.constantFrom("OTHER", 'a"b', "", 1),
    "acp-sidecar.lastMs": fc.constantFrom(5, 1e3, "5"),
    "acp-sidecar.chain": fc.constantFrom({ sha256: "0".repeat(64), from: 1, through: 1, marks: "AAAA" }, 1),
  },
  { requiredKeys: [] },
);
const theirs = fc.record(
  { _meta: fc.constantFrom({ n: 1 }), other: fc.constant(null) },
  { requiredKeys: [] },
);

describe("updates of an agent that says what only the journal may", () => {
  it("are kept and forwarded as the agent's words, without that", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyUpdate, ours, theirs, fc.boolean()), { minLength: 1, maxLength: 6 }),
        anyDraw,
        (said, draw) => {
          const chunks = new TextChunks();
          const updates = said.map(([update, marks, more, isFirst]) => {
            const sessionId = "s";
            const params = isFirst
              ? { sessionId, ...marks, ...more, update }
              : { sessionId, update, ...more, ...marks };
            const text = spelled({ jsonrpc: "2.0", method: "session/update", params }, draw);
            const parsed = (JSON.parse(text) as { params: UpdateParams }).params;
            return draw(5) === 0 ? updateOfParams(parsed) : chunks.learn(text, parsed, 3);
          });
          const meanings = said.map(([update, , more]) => meant(JSON.stringify({ update, ...more })));
          const forwarded = textsOf(updates, "s").flatMap((text) => text.split("\n"));
          const sent = forwarded.map((text) => {
            const { params } = JSON.parse(text) as { params: UpdateParams };
            const { sessionId, ...rest } = params;
            expect(sessionId).toBe("s");
            return meant(JSON.stringify(rest));
          });
          expect(sent).toEqual(meanings);
          const entries = updates.flatMap((update) => entriesOf([update], 1));
          expect(entries.map(({ data }) => meant(data))).toEqual(meanings);
          for (const { data } of [...entries, ...foldEntries(entries)]) {
            expect(childIn(data)).toBeUndefined();
            expect(Object.hasOwn(JSON.parse(data) as object, lastHeardMark)).toBe(false);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
