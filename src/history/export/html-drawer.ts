/** The happenings of one thread as HTML. */
import { textOf } from "../../acp/content.ts";
import type { Json } from "../../base/json.ts";
import type { Compacted, Happening, Said, Sent, Summarised } from "../../session/happenings.ts";
import type { Drawer } from "../threads.ts";
import { callHtml, folded, imageHtml, line, planHtml } from "./html-parts.ts";
import { escapeHtml, maxRichChars, plainText, richText } from "./rich-text.ts";
import { markdownOfBlock } from "./blocks.ts";
import { compactionHead, noteOf, speakers, summaryHead, utcText, wayOf, type Note } from "../words.ts";

const classes = { user: "you", assistant: "said", system: "system", thought: "thought" } as const;

/** A message that may go on: its text, while it is short enough to be drawn as Markdown. */
interface Open {
  text: string;
  /** More has been said than is drawn as Markdown: it is written as it comes. */
  isLong: boolean;
  readonly end: string;
}

export class HtmlDrawer implements Drawer {
  readonly #depth: number;
  readonly #thoughts: boolean;
  #open: Open | undefined;

  constructor(depth: number, thoughts: boolean) {
    this.#depth = depth;
    this.#thoughts = thoughts;
  }

  finish(): string {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return "";
    const text = open.isLong ? `${escapeHtml(open.text)}</div>` : richText(open.text);
    return text + open.end;
  }

  of(happening: Happening): string {
    const note = noteOf(happening);
    if (note !== undefined) return this.finish() + noteHtml(note);
    switch (happening.type) {
      case "said":
        return this.#said(happening);
      case "call":
        return this.finish() + callHtml(happening);
      case "plan":
        return this.finish() + planHtml(happening);
      case "sent":
        return this.finish() + sentHtml(happening);
      case "compaction":
        return this.finish() + compactionHtml(happening);
      case "summary":
        return this.finish() + summaryHtml(summaryHead, happening);
      case "end":
        return this.finish();
      default:
        return "";
    }
  }

  #said(said: Said): string {
    const { by, goesOn } = said;
    if (by === "thought" && !this.#thoughts) return "";
    if (goesOn && this.#open !== undefined) return this.#add(said.content);
    const before = this.finish();
    const isThought = by === "thought";
    this.#open = { text: "", isLong: false, end: isThought ? "</div></details>\n" : "</div></article>\n" };
    const head = isThought
      ? `<details class="thought" id="e${said.seq}"><summary><span class="mark">◌</span>Thought</summary><div class="body text">`
      : this.#head(said);
    return before + head + this.#add(said.content);
  }

  #head({ by, seq, atMs }: Said): string {
    const level = this.#depth === 0 ? "h2" : "h3";
    const place = `<a class="seq" href="#e${seq}">#${seq}</a>`;
    return `<article class="${classes[by]}" id="e${seq}"><${level}>${speakers[by]} <time>${utcText(atMs)}</time>${place}</${level}><div class="text">`;
  }

  #add(content: readonly Json[]): string {
    return content.map((block) => this.#block(block)).join("");
  }

  /** An image comes between texts, each of which is a whole. */
  #block(block: Json): string {
    const image = imageHtml(block);
    if (image !== undefined) return this.#flush() + image;
    const text = markdownOfBlock(block);
    const open = this.#open;
    if (open === undefined) return "";
    if (open.isLong) {
      const before = open.text;
      open.text = text;
      return escapeHtml(before);
    }
    open.text += text;
    if (open.text.length <= maxRichChars) return "";
    open.isLong = true;
    const start = open.text;
    open.text = "";
    return `<div class="plain">${escapeHtml(start)}`;
  }

  #flush(): string {
    const open = this.#open;
    if (open === undefined) return "";
    const text = open.isLong ? `${escapeHtml(open.text)}</div>` : richText(open.text);
    open.text = "";
    open.isLong = false;
    return text;
  }
}

function noteHtml({ text, isBad }: Note): string {
  return `<p class="note${isBad ? " bad" : ""}">${line(text)}</p>\n`;
}

function sentHtml(sent: Sent): string {
  const head = `<h3>Message <span class="facts">${line(wayOf(sent))}</span></h3>`;
  const text = boundedText(textOf({ content: sent.content }));
  return `<article class="sent" id="e${sent.seq}">${head}<div class="text">${text}</div></article>\n`;
}

function compactionHtml(compacted: Compacted): string {
  const head = compactionHead(compacted);
  return head === undefined ? "" : summaryHtml(head, { content: compacted.summary, seq: compacted.seq });
}

function summaryHtml(head: string, { content, seq }: Pick<Summarised, "content" | "seq">): string {
  return folded("summary", `<span class="mark">∑</span>${line(head)}`, boundedText(textOf({ content })), seq);
}

function boundedText(text: string): string {
  return text.length > maxRichChars ? plainText(text) : richText(text);
}
