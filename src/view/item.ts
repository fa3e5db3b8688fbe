/** One item of a conversation as an element. */
import { textOf } from "../acp/content.ts";
import { visible, visibleLine } from "../base/visible.ts";
import {
  compactionHead,
  noteOf,
  planMarkOf,
  planStatusOf,
  speakers,
  summaryHead,
  wayOf,
} from "../history/words.ts";
import type { Ended, Planned, Said, SubagentTold } from "../session/happenings.ts";
import { callOf, drawOnce } from "./call.ts";
import { contentOf } from "./content.ts";
import { h, type Child } from "./elements.ts";
import type { Item } from "./shapes.ts";
import { timeElement } from "./time.ts";
import { momentText, numberText } from "./when.ts";
import { usedTokens } from "./usage.ts";

/** What of an item only its surroundings know. */
export interface Surroundings {
  readonly session: string;
  /** The agent goes on: it is not named anew. */
  readonly isContinued: boolean;
}

export function elementOf(item: Item, around: Surroundings): HTMLElement {
  const body = bodyOf(item, around);
  const kind = item.type === "said" ? item.by : item.type;
  const article = h(
    "article",
    {
      class: `item is-${kind}${item.superseded ? " superseded" : ""}${item.child === undefined ? "" : " child"}${around.isContinued ? " continued" : ""}`,
      "data-seq": item.seq,
      tabindex: -1,
      "aria-label": labelOf(item),
      hidden: body === undefined,
    },
    item.child !== undefined && !around.isContinued && h("p", { class: "of-child" }, "Subagent"),
    body,
  );
  return article;
}

function labelOf(item: Item): string {
  const who = item.type === "said" ? speakers[item.by] : item.type === "call" ? "Tool call" : item.type;
  return `${who}, ${momentText(item.atMs)}${item.superseded ? ", superseded" : ""}`;
}

/** Undefined for what is not shown, because it goes without saying. */
function bodyOf(item: Item, around: Surroundings): Child {
  switch (item.type) {
    case "said":
      return item.by === "thought"
        ? thoughtOf(item)
        : [headOf(item, around), h("div", { class: "words" }, contentOf(item.content))];
    case "call":
      return callOf(item);
    case "plan":
      return planOf(item);
    case "asked":
      return h("p", { class: "note" }, "Permission asked: ", h("bdi", {}, visibleLine(item.title)));
    case "subagent":
      return subagentOf(item);
    case "sent":
      return folded("sent", `Message between agents ${wayOf(item)}`, () => contentOf(item.content));
    case "compaction": {
      const head = compactionHead(item);
      return head !== undefined && folded("summary", head, () => contentOf(item.summary));
    }
    case "summary":
      return folded("summary", summaryHead, () => contentOf(item.content));
    case "rewind":
      return rewindOf(item.toSeq, around);
    case "end":
      return endOf(item);
    case "state":
      return undefined;
    default:
      return lineOf(item);
  }
}

function headOf({ by, seq, atMs }: Said, { session, isContinued }: Surroundings): Child {
  const place = h(
    "a",
    { class: "seq", href: `#${session}/${seq}`, "aria-label": `Link to entry ${seq}` },
    `#${seq}`,
  );
  if (isContinued) return h("div", { class: "head quiet" }, place);
  const time = timeElement(atMs, momentText(atMs));
  return h("div", { class: "head" }, h("strong", {}, speakers[by]), time, place);
}

function thoughtOf({ content }: Said): HTMLElement {
  const text = textOf({ content });
  const first = visibleLine(text.slice(0, 120))
    .trim()
    .replace(/^[#*\s]+/, "")
    .replaceAll("**", "");
  const more = [
    h("span", { class: "mark", "aria-hidden": true }, "◌"),
    h("span", { class: "kind" }, "thought"),
    h("bdi", { class: "title" }, first),
  ];
  return folded("thought", more, () => contentOf(content));
}

function folded(kind: string, head: Child, body: () => readonly HTMLElement[]): HTMLElement {
  const summary = h(
    "summary",
    {},
    typeof head === "string"
      ? [h("span", { class: "mark", "aria-hidden": true }, kind === "sent" ? "⇄" : "∑"), visibleLine(head)]
      : head,
  );
  const details = h("details", { class: kind, "data-key": kind }, summary);
  details.addEventListener("toggle", () => drawOnce(details, () => h("div", { class: "body" }, body())));
  return details;
}

function planOf({ steps, text, isRemoved }: Planned): Child {
  if (isRemoved) return h("p", { class: "note" }, "The plan was dropped.");
  const done = steps.filter(({ status }) => status === "completed").length;
  const items = steps.map(({ text: step, status }) =>
    h(
      "li",
      { class: planStatusOf(status), dir: "auto" },
      h("span", { role: "img", "aria-label": planStatusOf(status).replace("_", " ") }, planMarkOf(status)),
      " ",
      visibleLine(step),
    ),
  );
  const head = h(
    "p",
    { class: "plan-head" },
    "Plan",
    steps.length > 0 && h("span", { class: "facts" }, ` ${done} of ${steps.length}`),
  );
  return h(
    "div",
    { class: "plan" },
    head,
    h("ul", {}, items),
    text !== undefined && h("pre", { class: "long" }, visible(text.slice(0, 20_000))),
  );
}

function subagentOf({ title, state }: SubagentTold): HTMLElement {
  const facts = state === undefined ? "" : ` ${visibleLine(state)}`;
  return h(
    "p",
    { class: "note" },
    h("strong", {}, "Subagent "),
    h("bdi", {}, visibleLine(title ?? "")),
    h("span", { class: "facts" }, facts),
  );
}

function rewindOf(toSeq: number, { session }: Surroundings): HTMLElement {
  const place = h("a", { href: `#${session}/${toSeq}` }, `#${toSeq}`);
  return h("p", { class: "note mark-line" }, "↩ Went back to ", place);
}

/** How a turn ended, where that is not well, and what it took. */
function endOf(item: Ended): Child {
  const note = noteOf(item);
  const tokens = usedTokens(item.end.usage);
  const used = tokens === undefined ? "" : `${numberText(tokens)} tokens`;
  if (note === undefined && used === "") return undefined;
  return h(
    "p",
    { class: `note turn-end${note?.isBad === true ? " bad" : ""}` },
    note?.text,
    note !== undefined && used !== "" && " · ",
    used,
  );
}

function lineOf(item: Item): Child {
  const note = noteOf(item);
  return note && h("p", { class: `note${note.isBad ? " bad" : ""}` }, note.text);
}
