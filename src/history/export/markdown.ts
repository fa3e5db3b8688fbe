/**
 * A session in Markdown: what was said as it was said, everything else folded in details. Tags that somebody wrote
 * outside of code stand there as text.
 */
import { textOf } from "../../acp/content.ts";
import { jsonTextOf } from "../../base/json-text.ts";
import { visible, visibleLine } from "../../base/visible.ts";
import { diffIn, itemsOfCall, pathsOf } from "../../session/call-parts.ts";
import type { Called, Compacted, Happening, Planned, Said, Sent } from "../../session/happenings.ts";
import type { Stretch } from "../../session/rewinds.ts";
import { lineDiff } from "../line-diff.ts";
import { happeningsIn } from "../../session/conversation.ts";
import { drawn } from "../drawn.ts";
import type { Wording } from "../edits.ts";
import type { Drawer, Thread } from "../threads.ts";
import type { Exported } from "./exported.ts";
import { fenced, markdownOfBlock } from "./blocks.ts";
import { SafeMarkdown } from "./safe-markdown.ts";
import { factsOf, titleOf } from "../about-session.ts";
import {
  compactionHead,
  editedText,
  noteOf,
  outcomeOf,
  planMarkOf,
  spanText,
  speakers,
  summaryHead,
  utcText,
  wayOf,
} from "../words.ts";

export async function* markdownOf({ record, pages, thoughts, ...passed }: Exported): AsyncGenerator<string> {
  const facts = factsOf(record).map(([name, value]) => `| ${name} | ${codeSpan(value)} |\n`);
  yield `# ${asText(titleOf(record))}\n\n| | |\n| --- | --- |\n${facts.join("")}`;
  const drawer = (depth: number) => new MarkdownDrawer(depth, thoughts);
  const marks = {
    begin: ({ through }: Stretch) =>
      `\n---\n\n_Superseded from here to #${through}: the session went back._\n`,
    end: () => "\n_Here the session goes on._\n",
  };
  yield* drawn(happeningsIn(pages), { drawer, wrap, edited, superseded: marks }, passed);
}

function edited(earlier: readonly Wording[]): string {
  const items = earlier.map(
    ({ seq, atMs, text, isCut }) =>
      `- #${seq} · ${utcText(atMs)}\n${fenced(visible(isCut ? `${text}…` : text))}`,
  );
  return `\n<details><summary>✎ ${editedText(earlier.length)}</summary>\n\n${items.join("\n")}\n</details>\n`;
}

function wrap({ title, session, from, through }: Thread, body: string): string {
  const name = title ?? session ?? "Subagent";
  return `\n<details><summary>${tagless(`▸ ${name}`)} · #${from}–#${through}</summary>\n${body}\n</details>\n`;
}

class MarkdownDrawer implements Drawer {
  readonly #depth: number;
  readonly #thoughts: boolean;
  /** The message that may go on. */
  #open: { readonly markdown: SafeMarkdown; readonly end: string } | undefined;

  constructor(depth: number, thoughts: boolean) {
    this.#depth = depth;
    this.#thoughts = thoughts;
  }

  finish(): string {
    const open = this.#open;
    this.#open = undefined;
    return open === undefined ? "" : open.markdown.end() + open.end;
  }

  of(happening: Happening): string {
    const note = noteOf(happening);
    if (note !== undefined) return `${this.finish()}\n_${asText(note.text)}_\n`;
    switch (happening.type) {
      case "said":
        return this.#said(happening);
      case "call":
        return this.finish() + callText(happening);
      case "plan":
        return this.finish() + planText(happening);
      case "sent":
        return this.finish() + sentText(happening);
      case "compaction":
        return this.finish() + compactionText(happening);
      case "summary":
        return this.finish() + summaryText(summaryHead, happening.content);
      case "end":
        return this.finish();
      default:
        return "";
    }
  }

  #said({ by, content, goesOn, atMs, seq }: Said): string {
    const text = content.map(markdownOfBlock).join("");
    if (by === "thought" && !this.#thoughts) return "";
    if (goesOn && this.#open !== undefined) return this.#open.markdown.push(text);
    const before = this.finish();
    const isThought = by === "thought";
    const markdown = new SafeMarkdown();
    this.#open = { markdown, end: isThought ? "\n</details>\n" : "" };
    const level = "#".repeat(Math.min(6, 2 + this.#depth));
    const head = isThought
      ? "\n<details><summary>Thought</summary>\n\n"
      : `${by === "user" && this.#depth === 0 ? "\n---\n" : ""}\n${level} ${speakers[by]} · ${utcText(atMs)} · #${seq}\n\n`;
    return before + head + markdown.push(text);
  }
}

function callText(call: Called): string {
  const { mark, word } = outcomeOf(call);
  const name = [mark, call.kind, call.title].filter(Boolean).join(" · ");
  const facts = [word, spanText(call.lastMs - call.startedAtMs)].filter((fact) => fact !== "").join(", ");
  const head = `\n<details><summary>${tagless(`${name}${facts === "" ? "" : ` (${facts})`}`)} · #${call.seq}</summary>\n`;
  return `${head}${bodyOf(call)}\n</details>\n`;
}

function bodyOf({ update }: Called): string {
  const items = itemsOfCall(update);
  const parts = items.map((item) => {
    const diff = diffIn(item);
    if (diff !== undefined) {
      const lines = lineDiff(diff.oldText, diff.newText).map(({ mark, text }) =>
        mark === "gap" ? `@@ ${text} @@` : mark + text,
      );
      return `\n${codeSpan(visibleLine(diff.path))}\n${fenced(visible(lines.join("\n")), "diff")}`;
    }
    if (item.type === "content") return fenced(visible(textOf({ content: [item.content] })));
    return item.type === "terminal" ? "\n_(a terminal; its output was not recorded)_\n" : "";
  });
  const { rawInput, rawOutput } = update;
  const paths = items.length === 0 ? pathsOf(update) : [];
  if (paths.length > 0) parts.unshift(`\n${paths.map((path) => codeSpan(visibleLine(path))).join(", ")}\n`);
  if (rawInput !== undefined && rawInput !== null) parts.unshift(fenced(visible(rawText(rawInput)), "json"));
  if (items.length === 0 && rawOutput !== undefined && rawOutput !== null)
    parts.push(fenced(visible(rawText(rawOutput))));
  return parts.join("");
}

export function rawText(raw: unknown): string {
  if (typeof raw === "string") return raw;
  try {
    return JSON.stringify(raw, undefined, 2);
  } catch {
    return jsonTextOf(raw);
  }
}

function planText({ steps, text, isRemoved }: Planned): string {
  if (isRemoved) return "";
  const list = steps.map((step) => `- ${planMarkOf(step.status)} ${asText(visibleLine(step.text))}\n`);
  return `\n**Plan**\n\n${list.join("")}${text === undefined ? "" : whole(text)}`;
}

function sentText(sent: Sent): string {
  return `\n**Message** ${asText(wayOf(sent))}\n\n${whole(textOf({ content: sent.content }))}`;
}

function compactionText(compacted: Compacted): string {
  const head = compactionHead(compacted);
  return head === undefined ? "" : summaryText(head, compacted.summary);
}

function summaryText(head: string, content: readonly unknown[]): string {
  return `\n<details><summary>${tagless(head)}</summary>\n\n${whole(textOf({ content }))}\n</details>\n`;
}

function whole(text: string): string {
  const markdown = new SafeMarkdown();
  return markdown.push(text) + markdown.end();
}

function codeSpan(text: string): string {
  const line = text.replaceAll("|", "\\|");
  return line.includes("`") ? `\`\` ${line.replace(/`{2,}/g, "`")} \`\`` : `\`${line}\``;
}

/** On a line of its own, as text whatever it holds. */
function asText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|~!&]/g, (character) => (character === "<" ? "&lt;" : `\\${character}`));
}

function tagless(text: string): string {
  return visibleLine(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
