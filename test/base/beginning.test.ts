import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginningOf, ownText } from "../../src/base/beginning.ts";
import { Edits } from "../../src/history/edits.ts";
import { titleFrom } from "../../src/history/import/scribe.ts";
import { titleOf } from "../../src/session/titles.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const prompts = 24;
const words = "of words that are long ".repeat(45_000);

/** How much stays in memory of prompts of 1 MB each, of which somebody keeps what `kept` gives. */
function megabytesKept(kept: (text: string, at: number) => unknown): number {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const all = Array.from({ length: prompts }, (_, at) =>
    kept(JSON.parse(`"prompt-of-number-${at}\\n${words}"`) as string, at),
  );
  collectGarbage();
  const megabytes = (process.memoryUsage().heapUsed - before) / (1 << 20);
  return all.length === prompts ? megabytes : NaN;
}

describe("the beginning of a text", () => {
  it("is what it begins with, to the letter, and never ends in half a character", () => {
    expect(beginningOf("ab😀", 3)).toBe("ab");
    expect(beginningOf("ab😀", 4)).toBe("ab😀");
    expect(beginningOf("", 3)).toBe("");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat({ max: 30 }), (text, max) => {
        const beginning = beginningOf(text, max);
        const isLongEnough = beginning.length >= Math.min(max - 1, text.length);
        const isSound = beginning.length <= max && beginning.isWellFormed();
        return (
          text.startsWith(beginning) &&
          isLongEnough &&
          isSound &&
          ownText(`\ud800${text}`) === `\ud800${text}`
        );
      }),
    );
  });

  it.each([
    ["wordings", (): ((text: string, at: number) => unknown) => wordings()],
    ["titles", () => (text: string) => titleOf([{ type: "text", text }])],
    ["titles of what is imported", () => (text: string) => titleFrom(text)],
  ])("as it is kept of %s, holds nothing else in memory", (_, keeping) => {
    expect(megabytesKept(keeping())).toBeLessThan(prompts / 4);
  });
});

function wordings() {
  const edits = new Edits([{ at: 1, toSeq: 0 }]);
  const place = { type: "said", atMs: 1, role: "user", counts: true } as const;
  return (text: string, at: number) => {
    const seq = at * 2 + 1;
    const content = [{ type: "text", text }];
    edits.before({ ...place, seq, turn: seq, content } as never, false);
    edits.before({ type: "rewind", seq: seq + 1, toSeq: 0, atMs: 1 } as never, true);
    return edits;
  };
}
