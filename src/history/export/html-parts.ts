/** Tool calls, diffs, plans and blocks of content as HTML. */
import { textOf } from "../../acp/content.ts";
import { isRecord, textOr } from "../../base/json.ts";
import { visibleLine } from "../../base/visible.ts";
import { diffIn, itemsOfCall, pathsOf, type CallFields, type FileDiff } from "../../session/call-parts.ts";
import type { Called, Planned } from "../../session/happenings.ts";
import { countsOf, lineDiff } from "../line-diff.ts";
import { rawText } from "./markdown.ts";
import { codeBlock, escapeHtml } from "./rich-text.ts";
import { outcomeOf, planMarkOf, planStatusOf, spanText } from "../words.ts";

/** What is longer is named by its size: a page is to be read. */
const maxImageChars = 4 << 20;

export function callHtml(call: Called): string {
  const { mark, word } = outcomeOf(call);
  const state = call.status === "completed" ? "ok" : call.status === "failed" ? "failed" : "open";
  const kind = call.kind === undefined ? "" : `<span class="kind">${line(call.kind)}</span>`;
  const facts = [line(word), spanText(call.lastMs - call.startedAtMs), countsText(call)];
  const said = facts.filter((fact) => fact !== "").join(" · ");
  const summary = `<span class="mark">${mark}</span>${kind}${line(call.title)} <span class="facts">${said}</span>`;
  return folded(`call ${state}`, summary, bodyOf(call), call.seq);
}

/** A part that is folded away; `summary` is HTML. */
export function folded(kind: string, summary: string, body: string, seq?: number): string {
  const id = seq === undefined ? "" : ` id="e${seq}"`;
  return `<details class="${kind}"${id}><summary>${summary}</summary><div class="body">${body}</div></details>\n`;
}

export function line(text: string): string {
  return escapeHtml(visibleLine(text));
}

function countsText({ update }: Called): string {
  let [added, removed] = [0, 0];
  for (const item of itemsOfCall(update)) {
    const diff = diffIn(item);
    if (diff === undefined) continue;
    const counts = countsOf(lineDiff(diff.oldText, diff.newText));
    added += counts.added;
    removed += counts.removed;
  }
  if (added + removed === 0) return "";
  return `<span class="plus">+${added}</span> <span class="minus">−${removed}</span>`;
}

function bodyOf({ update }: Called): string {
  const items = itemsOfCall(update);
  const { rawInput, rawOutput } = update;
  const paths = items.some((item) => item.type === "diff") ? [] : pathsOf(update);
  const parts = [paths.map((path) => `<p class="path">${line(path)}</p>`).join("")];
  if (rawInput !== undefined && rawInput !== null) parts.push(codeBlock(rawText(rawInput), "input"));
  for (const item of items) parts.push(itemHtml(item));
  if (items.length === 0 && rawOutput !== undefined && rawOutput !== null)
    parts.push(codeBlock(rawText(rawOutput), "output"));
  return parts.join("");
}

function itemHtml(item: CallFields): string {
  const diff = diffIn(item);
  if (diff !== undefined) return diffHtml(diff);
  if (item.type === "terminal") return `<p class="note">(a terminal; its output was not recorded)</p>`;
  if (item.type !== "content") return "";
  return imageHtml(item.content) ?? codeBlock(textOf({ content: [item.content] }));
}

function diffHtml({ path, oldText, newText }: FileDiff): string {
  const lines = lineDiff(oldText, newText).map(({ mark, text }) => {
    if (mark === "gap") return `<span class="gap">⋯ ${text}</span>`;
    const tag = mark === "+" ? "ins" : mark === "-" ? "del" : "span";
    return `<${tag}>${mark}${escapeHtml(text)}</${tag}>`;
  });
  const isNew = oldText === undefined ? ` <span class="facts">new file</span>` : "";
  return `<p class="path">${line(path)}${isNew}</p><pre class="diff"><code>${lines.join("")}</code></pre>`;
}

/** An image that stands in the block itself; one elsewhere is not fetched. */
export function imageHtml(block: unknown): string | undefined {
  if (!isRecord(block) || block.type !== "image" || typeof block.data !== "string") return undefined;
  const type = textOr(block.mimeType, "");
  const isShown = /^image\/(?:png|jpeg|gif|webp)$/.test(type) && block.data.length <= maxImageChars;
  if (!isShown || !/^[A-Za-z0-9+/]*={0,2}$/.test(block.data)) return undefined;
  return `<p><img alt="image" src="data:${type};base64,${block.data}"></p>`;
}

export function planHtml({ steps, text, isRemoved }: Planned): string {
  if (isRemoved) return "";
  const items = steps.map(({ text: step, status }) => {
    return `<li class="${planStatusOf(status)}">${planMarkOf(status)} ${line(step)}</li>`;
  });
  if (text !== undefined) items.push(`<li class="plain">${escapeHtml(text)}</li>`);
  return `<ul class="plan">${items.join("")}</ul>\n`;
}
