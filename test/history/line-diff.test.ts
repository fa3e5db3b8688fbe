import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countsOf, lineDiff } from "../../src/history/line-diff.ts";

const shown = (before: string | undefined, after: string) =>
  lineDiff(before, after).map(({ mark, text }) => (mark === "gap" ? `(${text})` : mark + text));

describe("a diff by lines", () => {
  it("shows what changed, with a few lines around it", () => {
    const lines = Array.from({ length: 20 }, (_, n) => `${n}`);
    const changed = lines.with(1, "x").with(15, "y");
    expect(shown(lines.join("\n"), changed.join("\n"))).toEqual(
      " 0,-1,+x, 2, 3, 4,(7 lines), 12, 13, 14,-15,+y, 16, 17, 18,(1 line)".split(","),
    );
    expect(shown(undefined, "a\nb\n")).toEqual(["+a", "+b"]);
    expect(shown("a\n", "")).toEqual(["-a"]);
    expect(shown("a", "a")).toEqual([]);
  });

  it("loses no line that changed, whatever the texts", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 30 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = lineDiff(before.join("\n"), after.join("\n"));
        const { added, removed } = countsOf(diff);
        expect(added - removed).toBe(lengthOf(after.join("\n")) - lengthOf(before.join("\n")));
        const kept = diff.filter(({ mark }) => mark === "+" || mark === " ").map((line) => line.text);
        for (const line of kept) expect(after).toContain(line);
      }),
    );
  });

  it("does not compare long texts line by line", () => {
    const before = Array.from({ length: 30_000 }, (_, n) => `a${n}`).join("\n");
    const after = Array.from({ length: 30_000 }, (_, n) => `b${n}`).join("\n");
    const at = performance.now();
    expect(countsOf(lineDiff(before, after))).toEqual({ added: 30_000, removed: 30_000 });
    expect(performance.now() - at).toBeLessThan(2000);
  });
});

const lengthOf = (text: string) =>
  text === "" ? 0 : (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n").length;
