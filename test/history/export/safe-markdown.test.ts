/** Whatever somebody writes, a reader of the page finds no tag in it: judged by a Markdown parser that knows tags. */
import MarkdownIt from "markdown-it";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SafeMarkdown } from "../../../src/history/export/safe-markdown.ts";

interface Token {
  readonly type: string;
  readonly content: string;
  readonly children: readonly Token[] | null;
}

const parser = new MarkdownIt({ html: true, linkify: false, breaks: false }) as unknown as {
  parse(text: string, env: object): Token[];
};

function safe(text: string, cut = text.length): string {
  const markdown = new SafeMarkdown();
  return markdown.push(text.slice(0, cut)) + markdown.push(text.slice(cut)) + markdown.end();
}

function tagsIn(markdown: string): string[] {
  const open = parser.parse(markdown, {});
  const tags: string[] = [];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.type.startsWith("html_")) tags.push(next.content);
    open.push(...(next.children ?? []));
  }
  return tags;
}

describe("safe Markdown [issue 10.2]", () => {
  it.each([
    ["code that began a line before", "`abc\n<b>` <script>`"],
    ["a backslash at the end of code", "`a\\` <script>`"],
    ["a code block that ended with its list", "- a\n\n  ```\n<script>"],
    ["a code block of a list, ended", "- ```\n  ```\n<script>\n</script>"],
    ["a code block of a quotation", "> ```\n> x\n\n  > ```\n<img src=x onerror=alert(1)>"],
    ["a code block of a list, and another one", "1. a\n   ```\n   x\n   ```\n\n<b onclick=x>"],
  ])("has no tag: %s", (_, text) => {
    expect(tagsIn(text).length).toBeGreaterThan(0);
    expect(tagsIn(safe(text))).toEqual([]);
  });

  it("has no tag, whatever stands around it", () => {
    const parts = [
      "<b>",
      "<script>",
      "`",
      "``",
      "```",
      "~~~",
      "\\",
      "\n",
      "\n\n",
      "- ",
      "> ",
      "1. ",
      " ",
      "  ",
      "x",
      "\t",
    ];
    const texts = fc.array(fc.constantFrom(...parts), { maxLength: 24 }).map((all) => all.join(""));
    fc.assert(
      fc.property(texts, fc.nat(40), (text, cut) => {
        expect(tagsIn(safe(text, cut))).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    "```html\n<b>\n```\n",
    "Use `<b>` and `` a`<i> ``.\n",
    "<https://example.com>\n",
    "- a\n\n```\n<b>\n```\n",
  ])("leaves code as it is: %j", (text) => expect(safe(text)).toBe(text));
});
