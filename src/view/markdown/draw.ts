/** Markdown as elements. */
import { visible } from "../../base/visible.ts";
import { button, h } from "../elements.ts";
import { copied } from "../copied.ts";
import { blocksOf } from "./blocks.ts";
import { inlinesOf } from "./inline.ts";
import type { Block, Inline, ListItem } from "./tree.ts";

/** What could turn the direction of writing, or is not to be seen, is spelled out. */
export function markdownOf(text: string): HTMLElement[] {
  return blocksOf(visible(text)).map(blockOf);
}

function blockOf(block: Block): HTMLElement {
  switch (block.type) {
    case "paragraph":
      return h("p", { dir: "auto" }, inlines(block.text));
    case "heading":
      // Beneath the headings of the page, in order.
      return h(
        "div",
        {
          role: "heading",
          "aria-level": Math.min(block.level + 3, 6),
          class: `h${block.level}`,
          dir: "auto",
        },
        inlines(block.text),
      );
    case "code":
      return codeBlock(block.text, block.language);
    case "quote":
      return h("blockquote", {}, block.blocks.map(blockOf));
    case "list":
      return listOf(block.start, block.items);
    case "table":
      return tableOf(block);
    case "rule":
      return h("hr");
  }
}

/** A block to be copied from. */
export function codeBlock(text: string, language = "", label = ""): HTMLElement {
  const pre = h("pre", { tabindex: 0, dir: "ltr" }, h("code", {}, text));
  const head = h(
    "span",
    { class: "code-head" },
    label || language,
    button("Copy", () => copied(text), { class: "copy" }),
  );
  return h("div", { class: "code" }, head, pre);
}

function listOf(start: number | undefined, items: readonly ListItem[]): HTMLElement {
  const drawn = items.map(({ isDone, blocks }) => {
    const [first, ...rest] = blocks;
    const isTask = isDone !== undefined;
    const mark =
      isTask &&
      h(
        "span",
        { class: "task", role: "img", "aria-label": isDone ? "done" : "to do" },
        isDone ? "☑ " : "☐ ",
      );
    // A paragraph that begins an item stands right behind its mark.
    if (first?.type === "paragraph")
      return h(
        "li",
        { class: isTask && "task-item", dir: "auto" },
        mark,
        inlines(first.text),
        rest.map(blockOf),
      );
    return h("li", { dir: "auto" }, mark, blocks.map(blockOf));
  });
  return start === undefined ? h("ul", {}, drawn) : h("ol", { start }, drawn);
}

function tableOf({ aligns, head, rows }: Extract<Block, { type: "table" }>): HTMLElement {
  const cell = (tag: "th" | "td") => (text: string, at: number) =>
    h(tag, { class: aligns[at] }, inlines(text));
  return h(
    "div",
    { class: "table", tabindex: 0 },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head.map(cell("th")))),
      h(
        "tbody",
        {},
        rows.map((row) => h("tr", {}, row.map(cell("td")))),
      ),
    ),
  );
}

function inlines(text: string): Node[] {
  return inlinesOf(text).map(inlineOf);
}

function inlineOf(inline: Inline): Node {
  switch (inline.type) {
    case "text":
      return document.createTextNode(inline.text);
    case "code":
      return h("code", { dir: "ltr" }, inline.text);
    case "break":
      return h("br");
    case "link":
      return linkTo(inline.href, inline.children.map(inlineOf));
    default:
      return h(inline.type, {}, inline.children.map(inlineOf));
  }
}

/** Says where it leads, and tells nobody where it was. @param href one of the web: see `links.ts` */
export function linkTo(href: string, children: readonly Node[]): HTMLElement {
  return h("a", { href, title: href, rel: "noreferrer noopener nofollow", target: "_blank" }, children);
}
