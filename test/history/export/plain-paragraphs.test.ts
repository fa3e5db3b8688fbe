/** Paragraphs drawn without a parser are those that the parser draws; what is more is left to it. */
import MarkdownIt from "markdown-it";
import { describe, expect, test } from "vitest";
import { plainParagraphs } from "../../../src/history/export/plain-paragraphs.ts";

const parser = new MarkdownIt({ html: false, linkify: false, breaks: false, maxNesting: 30 }).disable([
  "image",
]);

const plain = [
  "One line",
  "Two\nlines",
  "One\n\ntwo\n\n\n",
  "\n\nlate",
  'call `round` and `a_b*c <d> & "e"` once > twice, "so" it\'s',
  "`first` and last `one`",
  "` padded ` and `  `",
  "12 files, 日本語 and ünï",
  "(in brackets) too",
];

describe("plain paragraphs", () => {
  test.each(plain)("%j is drawn as the parser draws it", (text) => {
    expect(plainParagraphs(text)).toBe(parser.render(text));
  });

  test.each([
    "# head",
    "- item",
    "1. item",
    "1) item",
    "> quote",
    "    code",
    "```\ncode\n```",
    "``two`` ticks",
    "a ``` b",
    "one ` tick",
    "`over\nlines`",
    "a *b*",
    "a _b_",
    "~~a~~",
    "[a](b)",
    "<https://a.b>",
    "&amp;",
    "a\\*b",
    "hard  \nbreak",
    "head\n===",
    "head\n---",
    "|a|\n|-|",
    "a\r\nb",
    "a\0b",
    "a\u00a0",
  ])("%j is left to the parser", (text) => {
    expect(plainParagraphs(text)).toBeUndefined();
  });

  test("whatever it draws, the parser draws alike", () => {
    const next = seeded(7);
    const parts = [
      "a",
      "Word",
      " ",
      "  ",
      "\n",
      "\n\n",
      "`",
      "``",
      ">",
      '"',
      "'",
      "&",
      "<",
      "*",
      "_",
      "-",
      "=",
      "1",
      ".",
    ];
    const more = [
      ")",
      "|",
      "#",
      "~",
      "[",
      "]",
      "\\",
      "\t",
      "é",
      "語",
      "😀",
      "\u00a0",
      "\u2028",
      "!",
      ":",
      "+",
      "(",
    ];
    const all = [...parts, ...more];
    let drawn = 0;
    for (let round = 0; round < 20_000; round += 1) {
      // Half of them of what is plain more often than not.
      const from =
        round % 2 === 0 ? all : ["a", "Word", " b", "\n", "\n\n", "`", '"', ">", "1", ".", "|", ":", "-"];
      let text = "";
      for (let count = 1 + Math.floor(next() * 12); count > 0; count -= 1)
        text += from[Math.floor(next() * from.length)] ?? "";
      const html = plainParagraphs(text);
      if (html === undefined) continue;
      drawn += 1;
      expect(html, JSON.stringify(text)).toBe(parser.render(text));
    }
    expect(drawn).toBeGreaterThan(1000);
  });
});

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
