import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocksOf } from "../../src/view/markdown/blocks.ts";
import { inlinesOf } from "../../src/view/markdown/inline.ts";
import type { Block, Inline } from "../../src/view/markdown/tree.ts";

/** As a line of text: what is strong, code or a link between signs. */
function drawn(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      switch (inline.type) {
        case "text":
          return inline.text;
        case "code":
          return `‹${inline.text}›`;
        case "break":
          return "⏎";
        case "link":
          return `⟦${drawn(inline.children)}→${inline.href}⟧`;
        default:
          return `${inline.type}(${drawn(inline.children)})`;
      }
    })
    .join("");
}

const inline = (text: string) => drawn(inlinesOf(text));

describe("what stands in a paragraph", () => {
  it.each([
    ["plain", "plain"],
    ["**a** *b* _c_ ~~d~~", "strong(a) em(b) em(c) del(d)"],
    ["***a***", "strong(em(a))"],
    ["**a *b* c**", "strong(a em(b) c)"],
    ["snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"],
    ["**open", "**open"],
    ["a ** b", "a ** b"],
    ["`code` ``a ` b`` `open", "‹code› ‹a ` b› `open"],
    ["`**a**`", "‹**a**›"],
    [String.raw`\*a\* \q`, String.raw`*a* \q`],
    ["&lt;b&gt; &amp; &copy;", "<b> & &copy;"],
    ["a\nb", "a⏎b"],
    ["a<br>b<i>", "a⏎b<i>"],
    ["[a](https://x.example/)", "⟦a→https://x.example/⟧"],
    ['[a **b**](https://x.example/p_(q) "title")', "⟦a strong(b)→https://x.example/p_(q)⟧"],
    ["![a](https://x.example/i.png)", "⟦a→https://x.example/i.png⟧"],
    ["[](a/b.ts)", "a/b.ts"],
    ["[a] (b) [c]", "[a] (b) [c]"],
    [
      "see https://x.example/a_b, or <http://y.example>.",
      "see ⟦https://x.example/a_b→https://x.example/a_b⟧, or ⟦http://y.example/→http://y.example/⟧.",
    ],
    ["(https://x.example/a)", "(⟦https://x.example/a→https://x.example/a⟧)"],
  ])("%s", (text, wanted) => {
    expect(inline(text)).toBe(wanted);
  });

  it.each([
    "javascript:alert(1)",
    "JAVASCRIPT:x",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "//x.example",
    "/path",
    "https:x",
    "https://bank.example@evil.example",
    "java\nscript:x",
  ])("is followed nowhere but to the web: %j", (address) => {
    expect(JSON.stringify(inlinesOf(`[a](${address}) <${address}>`))).not.toContain('"link"');
  });
});

const kinds = (text: string): unknown => outline(blocksOf(text));

function outline(blocks: readonly Block[]): unknown {
  return blocks.map((block) => {
    switch (block.type) {
      case "list":
        return { [block.start ?? "•"]: block.items.map(({ blocks: inner }) => outline(inner)) };
      case "quote":
        return { ">": outline(block.blocks) };
      case "code":
        return { [`code ${block.language}`]: block.text };
      case "heading":
        return { [`h${block.level}`]: block.text };
      case "table":
        return { table: [block.head, ...block.rows] };
      case "rule":
        return "—";
      default:
        return block.text;
    }
  });
}

describe("the blocks of a text", () => {
  it("are paragraphs, headings, code, lists, quotations, tables and rules", () => {
    expect(kinds("# A #\none\ntwo\n\n---\n```js\na\n\n  b\n```\n> q\n> - x\nend")).toEqual([
      { h1: "A" },
      "one\ntwo",
      "—",
      { "code js": "a\n\n  b" },
      { ">": ["q", { "•": [["x"]] }] },
      "end",
    ]);
    expect(kinds("| a | b |\n|---|:-:|\n| 1 | `x|y` |\n| 2 |\n\nafter")).toEqual([
      {
        table: [
          ["a", "b"],
          ["1", "`x|y`"],
          ["2", ""],
        ],
      },
      "after",
    ]);
  });

  it("have lists in lists, by their indents, with code and paragraphs in them", () => {
    expect(kinds("- a\n  - b\n  - c\n- d\n\n- e\n\n  more\n\n  ```\n  x\n  ```\nafter")).toEqual([
      { "•": [["a", { "•": [["b"], ["c"]] }], ["d"], ["e", "more", { "code ": "x" }]] },
      "after",
    ]);
    expect(kinds("3. a\n   - b\n4. c\n\ntext")).toEqual([{ 3: [["a", { "•": [["b"]] }], ["c"]] }, "text"]);
    expect(kinds("In the year\n1984. Or so")).toEqual(["In the year\n1984. Or so"]);
    expect(kinds("text\n- a\n- b")).toEqual(["text", { "•": [["a"], ["b"]] }]);
    const [list] = blocksOf("- [x] a\n- [ ] b");
    expect(list?.type === "list" && list.items.map(({ isDone }) => isDone)).toEqual([true, false]);
  });

  it("keep what is not closed, or is HTML", () => {
    expect(kinds("```\nopen")).toEqual([{ "code ": "open" }]);
    expect(kinds("<div>\n<script>x</script>")).toEqual(["<div>\n<script>x</script>"]);
  });

  it("take linear time, whatever stands there", () => {
    const pieces = [
      "> ",
      "- ",
      "1. ",
      "# ",
      "`",
      "``` ",
      "*",
      "**a ",
      "_a",
      "~~",
      "[",
      "![",
      "](",
      "[a](",
      "<",
      "<https://",
      "https://a",
      "|",
      "|-",
      "\\",
      "&",
      "(",
      "a\n",
      "- \n  ",
      "\t",
      "\r",
      "(https://a.b/(",
      " ",
    ];
    const timeOf = (text: string) => {
      const begun = performance.now();
      const visit = (blocks: readonly Block[]): void => {
        for (const block of blocks) {
          if (block.type === "paragraph" || block.type === "heading") inlinesOf(block.text);
          if (block.type === "quote") visit(block.blocks);
          if (block.type === "list") for (const item of block.items) visit(item.blocks);
        }
      };
      visit(blocksOf(text));
      return performance.now() - begun;
    };
    // What takes quadratic time takes minutes here.
    for (const piece of pieces)
      expect(timeOf(piece.repeat(100_000 / piece.length)), JSON.stringify(piece)).toBeLessThan(5000);
  });

  it("lose no word", { timeout: 60_000 }, () => {
    const words = fc.array(
      fc.constantFrom(
        "one",
        "two",
        " ",
        "\n",
        "\n\n",
        "- ",
        "> ",
        "**",
        "*",
        "`",
        "```",
        "[",
        "](",
        ")",
        "| ",
        "|-|",
        "# ",
        "1. ",
        "  ",
        "\\",
        "~~",
        "_",
        "<",
        "&amp;",
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(words, (parts) => {
        const text = parts.join("");
        const all: string[] = [];
        const visit = (blocks: readonly Block[]): void => {
          for (const block of blocks) {
            if (block.type === "code") all.push(block.language, block.text);
            if (block.type === "paragraph" || block.type === "heading")
              all.push(drawn(inlinesOf(block.text)));
            if (block.type === "table") all.push([...block.head, ...block.rows.flat()].map(inline).join(" "));
            if (block.type === "quote") visit(block.blocks);
            if (block.type === "list") for (const item of block.items) visit(item.blocks);
          }
        };
        visit(blocksOf(text));
        const count = (of: string) => of.match(/one|two/g)?.length ?? 0;
        // Behind the language of a code block stands what nobody is shown, and cells beyond the head of a table.
        if (!/```|~~~|\|/.test(text)) expect(count(all.join(" "))).toBe(count(text));
      }),
      { numRuns: 300 },
    );
  });
});
