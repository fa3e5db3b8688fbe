/** Tool calls: folded, with diffs and output within. */
import { textOf } from "../acp/content.ts";
import { isDeeperThan, isRecord, type Json } from "../base/json.ts";
import { jsonTextOf } from "../base/json-text.ts";
import { visible, visibleLine } from "../base/visible.ts";
import { countsOf, lineDiff } from "../history/line-diff.ts";
import { outcomeOf, spanText } from "../history/words.ts";
import { diffIn, itemsOfCall, pathsOf, type CallFields, type FileDiff } from "../session/call-parts.ts";
import type { Called } from "../session/happenings.ts";
import { otherThanText } from "./content.ts";
import { button, h } from "./elements.ts";
import { plainCode } from "./long.ts";

/** Lines of a diff that are shown at once, and characters of each. */
const [firstLines, maxLineChars] = [400, 2000];
const maxIndents = 40;
/** What is longer is compared by nobody's eye. */
const maxDiffChars = 2_000_000;

export function callOf(call: Called): HTMLElement {
  const { mark, word } = outcomeOf(call);
  const state = call.status === "completed" ? "ok" : call.status === "failed" ? "failed" : "open";
  const diffs = itemsOfCall(call.update).flatMap((item) => diffIn(item) ?? []);
  const said = [word, spanText(call.lastMs - call.startedAtMs)].filter((each) => each !== "").join(" · ");
  const summary = h(
    "summary",
    {},
    h("span", { class: "mark", "aria-hidden": true }, mark),
    call.kind !== undefined && h("span", { class: "kind" }, visibleLine(call.kind)),
    h("bdi", { class: "title" }, visibleLine(call.title).slice(0, 500)),
    h("span", { class: "facts" }, said, diffs.length > 0 && countsIn(diffs)),
  );
  const details = h("details", { class: `call ${state}`, "data-key": "call" }, summary);
  // What is folded is drawn when somebody looks: most of it nobody does.
  details.addEventListener("toggle", () => drawOnce(details, () => bodyOf(call)));
  return details;
}

/** Draws what a folded part has in it when it is opened first. */
export function drawOnce(details: HTMLDetailsElement, draw: () => HTMLElement): void {
  if (details.open && details.children.length === 1) details.append(draw());
}

function countsIn(diffs: readonly FileDiff[]): HTMLElement[] {
  let [added, removed] = [0, 0];
  for (const { oldText, newText } of diffs) {
    if ((oldText?.length ?? 0) + newText.length > maxDiffChars) continue;
    const counts = countsOf(lineDiff(oldText, newText));
    added += counts.added;
    removed += counts.removed;
  }
  return [
    h("span", { class: "plus", "aria-label": `${added} lines added` }, ` +${added}`),
    h("span", { class: "minus", "aria-label": `${removed} lines removed` }, ` −${removed}`),
  ];
}

function bodyOf({ update }: Called): HTMLElement {
  const items = itemsOfCall(update);
  const hasDiff = items.some(({ type }) => type === "diff");
  const paths = hasDiff ? [] : pathsOf(update);
  const { rawInput, rawOutput } = update;
  const body = h("div", { class: "body" });
  for (const path of paths) body.append(h("p", { class: "path" }, visibleLine(path)));
  if (isSaid(rawInput)) body.append(plainCode(rawText(rawInput), "Input"));
  for (const item of items) body.append(...itemOf(item));
  if (items.length === 0 && isSaid(rawOutput)) body.append(plainCode(rawText(rawOutput), "Output"));
  if (body.children.length === 0) body.append(h("p", { class: "note" }, "Nothing more is known of it."));
  return body;
}

function itemOf(item: CallFields): HTMLElement[] {
  const diff = diffIn(item);
  if (diff !== undefined) return diffOf(diff);
  if (item.type === "terminal")
    return [h("p", { class: "note" }, "A terminal; its output was not recorded.")];
  if (item.type !== "content") return [];
  const block = item.content as Json;
  return [otherThanText(block) ?? plainCode(textOf({ content: [block] }), "Output")];
}

export function diffOf({ path, oldText, newText }: FileDiff): HTMLElement[] {
  const head = h(
    "p",
    { class: "path" },
    visibleLine(path),
    oldText === undefined && h("span", { class: "facts" }, " new file"),
  );
  if ((oldText?.length ?? 0) + newText.length > maxDiffChars)
    return [head, plainCode(newText, "As it is now")];
  const lines = lineDiff(oldText, newText);
  const code = h("code");
  let shown = 0;
  const rest = h("p", { class: "rest" });
  const more = (count: number) => {
    for (const line of lines.slice(shown, shown + count)) code.append(lineOf(line));
    shown = Math.min(lines.length, shown + count);
    rest.replaceChildren();
    if (shown < lines.length)
      rest.append(button(`Show ${lines.length - shown} more lines`, () => more(10 * firstLines)));
  };
  more(firstLines);
  return [head, h("pre", { class: "diff", tabindex: 0, dir: "ltr" }, code), rest];
}

function lineOf({ mark, text }: { readonly mark: string; readonly text: string }): HTMLElement {
  if (mark === "gap") return h("span", { class: "gap" }, `⋯ ${text}`);
  const isCut = text.length > maxLineChars;
  const line = mark + visible(text.slice(0, maxLineChars)) + (isCut ? " …" : "");
  return h(mark === "+" ? "ins" : mark === "-" ? "del" : "span", {}, line);
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && !(isRecord(value) && Object.keys(value).length === 0);
}

/** Indented, unless it is so deep that the indents would be most of it. */
export function rawText(value: unknown): string {
  if (typeof value === "string") return value;
  return isDeeperThan(value, maxIndents) ? jsonTextOf(value) : JSON.stringify(value, null, 2);
}
