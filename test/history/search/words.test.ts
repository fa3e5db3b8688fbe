import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexedWords } from "../../../src/history/search/indexed-words.ts";
import { pairsOf } from "../../../src/history/search/common-pairs.ts";
import { daysBetween, matchOf } from "../../../src/history/search/match-text.ts";
import { matchesIn } from "../../../src/history/search/matching.ts";
import { parseQuery } from "../../../src/history/search/query.ts";
import { plainSnippet, snippetOf } from "../../../src/history/search/snippet.ts";
import { longestText, wordsOf } from "../../../src/history/search/words.ts";
import { codeOf } from "./code-of.ts";

const row = (text: string) => wordsOf(text).row.map((word) => word.text);
const finds = (query: string, text: string) => matchesIn(text, parseQuery(query)) !== undefined;
const marked = (query: string, text: string) =>
  (matchesIn(text, parseQuery(query)) ?? []).map(({ from, to }) => text.slice(from, to));

describe("the words of a text", () => {
  it("know no case, no accents and no width", () => {
    expect(row("Crème BRÛLÉE, Straße ＷＩＤＥ ΟΔΟΣ")).toEqual(["creme", "brulee", "strasse", "wide", "οδοσ"]);
    expect(finds("creme brulee", "Cre\u0300me Bru\u0302lée")).toBe(true);
    expect(finds("STRASSE", "die Straße")).toBe(true);
  });

  it("are the parts of identifiers and paths", () => {
    expect(row("parseHTTPHeader snake_case a/path/file.ts HTTP2Server sha256")).toEqual(
      "parse http header snake case a path file ts http2 server sha256".split(" "),
    );
  });

  it("are each two characters where there are no spaces", () => {
    expect(row("東京タワー")).toEqual(["東京", "京タ", "タワ", "ワー", "ー"]);
    expect(row("한국어 𠮷野家")).toEqual(["한국", "국어", "어", "𠮷野", "野家", "家"]);
  });

  it.each([
    ["header", "parseHTTPHeader", true],
    ["parsehttpheader", "call parseHTTPHeader()", true],
    ["parseHTTPHeader", "parsehttpheader", true],
    ["parseHttpHeader", "parse_http_header", true],
    ["snake_case", "a snake case", true],
    ["snake_case", "case snake", false],
    ["path/file.ts", "see a/path/file.ts:10", true],
    ["京タ", "東京タワー", true],
    ["東京タワー", "昨日東京タワーへ", true],
    ["東タ", "東京タワー", false],
    ["ー", "東京タワー", true],
    ["東", "東京タワー", true],
    ["ﾀﾜｰ", "東京タワー", true],
    ["สวัสดี", "ครับสวัสดีครับ", true],
    ["한국", "한국어", true],
    ['"hello world"', "Hello, world!", true],
    ['"hello world"', "world hello", false],
    ["hello world", "world hello", true],
    ["hel*", "say hello", true],
    ["parseHT*", "parseHTTPHeader", true],
    ["parseht*", "parseHTTPHeader", true],
    ["hello -world", "hello world", false],
    ["hello -world", "hello there", true],
    ['hello -"big world"', "hello big wide world", true],
    ["red", "\u001b[1;31mred\u001b[0m", true],
    ["31mred", "\u001b[1;31mred\u001b[0m", false],
    ["well-known", "a well-known fact", true],
    ["don't", "I don’t", true],
    ["日本語2024", "日本語2024年", true],
    ["日本2024", "日本語2024年", false],
  ])("%s in %s: %s", (query, text, found) => {
    expect(finds(query, text)).toBe(found);
  });

  it("are marked where they stand", () => {
    expect(marked("header http", "the parseHTTPHeader of HTTP")).toEqual(["HTTPHeader", "HTTP"]);
    expect(marked("parsehttpheader", "a parseHTTPHeader b")).toEqual(["parseHTTPHeader"]);
    expect(marked("京タ", "東京タワー")).toEqual(["京タ"]);
  });

  it("stand in the text, whatever it holds, each part of it looked at once", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const { row, wholes } = wordsOf(text);
        const stray = [...row, ...wholes].filter(
          ({ from, to }) => from < 0 || to <= from || to > text.length,
        );
        const back = row.filter((word, i) => word.from < (row[i - 1]?.from ?? 0));
        expect([stray, back]).toEqual([[], []]);
      }),
    );
  });

  it("of a text are found in it, whichever is looked for", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 }), (texts) => {
        const text = texts.join(" ");
        for (const each of texts) {
          expect(finds(`"${each}"`, text)).toBe(true);
          expect(finds(`"${each.toUpperCase()}"`, text)).toBe(true);
        }
      }),
    );
  });

  it("that are too long are known by their beginning, and of a text its first million characters", () => {
    const long = "xY".repeat(400);
    expect(row(long)).toEqual(["xy".repeat(32)]);
    expect(finds(long, `a ${long} b`)).toBe(true);
    expect(row(`${"a ".repeat(longestText / 2)}end`).at(-1)).toBe("a");
  });
});

const pieces = [
  "userId",
  "snake_case",
  "a/b.ts",
  "naïve",
  "東京",
  "한국어",
  "HTTP2",
  "x",
  "日本語 text",
  "ﬁne",
];

describe("what is indexed", () => {
  it("is the same words, however a text is written", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...pieces,
        "\u001b[31mred",
        "ABC",
        "A1B",
        "aB",
        "x".repeat(70),
        "Ab".repeat(40),
        "\0",
        "\ue000user",
        " in ",
        "To",
        "ín—",
        "the\u001b[1m ",
        "_of.a ",
      ),
      fc.string({ unit: "binary", maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (texts) => {
        const text = texts.join("");
        const { row, wholes } = wordsOf(text);
        const indexed = indexedWords({ text, role: "user", atMs: 0, seq: 1 }).split(" \ue000user ")[0] ?? "";
        const words = indexed.match(/[A-Za-z0-9\u0080-\u{10ffff}]+/gu) ?? [];
        // As FTS5 has it, which knows ASCII only.
        const told = words.map((word) => word.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase()));
        const pairs = pairsOf(row.map((word) => word.text));
        expect(told).toEqual([...[...row, ...wholes].map((word) => word.text), ...pairs]);
      }),
    );
  });

  it("has common words that stand together as one word, so that few messages are read for a phrase of them", () => {
    const pairs = (text: string) =>
      indexedWords({ text, role: "user", atMs: 0, seq: 1 }).match(/\S+\ue001\S+/g) ?? [];
    expect(pairs("Put it in, to the intoTo box of theirs")).toEqual([
      "it\ue001in",
      "in\ue001to",
      "to\ue001the",
      "the\ue001into",
      "into\ue001to",
    ]);
    const { wanted } = matchOf(parseQuery('"box in to the"'), {});
    expect(JSON.stringify(wanted)).toContain("in\ue001to");
    expect(JSON.stringify(matchOf(parseQuery('"in the*"'), {}))).toContain("in\ue001the");
    expect(JSON.stringify(matchOf(parseQuery("in/the*"), {}))).not.toContain("\ue001");
  });

  it("of a time are whole months, and days where they are no whole ones", () => {
    const at = (text: string) => Date.parse(`${text}T12:00:00Z`);
    expect(daysBetween(at("2026-01-30"), at("2026-03-02"))).toEqual([
      "20260130",
      "20260131",
      "202602",
      "20260301",
      "20260302",
    ]);
    expect(daysBetween(0, at("2026-03-02"))).toEqual([]);
  });
});

describe("a query", () => {
  it.each([
    ["", "there is no word"],
    ["  ", "there is no word"],
    ["&& ||", "there is no word"],
    ['"open', "a phrase begins"],
    ['say "', "a phrase begins"],
    ["-only", "only what must not"],
    ["*", "a * stands alone"],
    ["a*", "at least 2"],
    ["many ".repeat(201), "at most 1000"],
    ["a ".repeat(41), "at most 40"],
  ])("%j is refused: %s", (text, why) => {
    expect(codeOf(() => parseQuery(text))).toEqual(["INVALID_QUERY", expect.stringContaining(why)]);
  });

  it("is understood or refused, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const refused = codeOf(() => parseQuery(text));
        expect(refused === undefined || refused[0] === "INVALID_QUERY").toBe(true);
      }),
    );
  });
});

describe("a snippet", () => {
  const snippet = (query: string, text: string) => snippetOf(text, matchesIn(text, parseQuery(query)) ?? []);

  it("is a line with the words marked", () => {
    expect(snippet("needle", "some hay\n\tthe needle and more")).toEqual([
      { text: "some hay the ", isMatch: false },
      { text: "needle", isMatch: true },
      { text: " and more", isMatch: false },
    ]);
  });

  it("is short, begins and ends between words, and says where the message goes on", () => {
    const text = `${"hay ".repeat(100)}needle ${"straw ".repeat(100)}`;
    const shown = plainSnippet(snippet("needle", text));
    expect(shown).toMatch(/^…hay (hay )+needle (straw )+straw…$/);
    expect(shown.length).toBeLessThan(180);
  });

  it("never cuts a character in two", () => {
    const text = `${"😀".repeat(100)} needle ${"😀".repeat(100)}`;
    expect(plainSnippet(snippet("needle", text)).isWellFormed()).toBe(true);
  });
});
