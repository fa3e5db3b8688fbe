/** What people are told of a conversation, on a terminal, in exports and in the web view: the same words and signs. */
import { textOf } from "../acp/content.ts";
import { visibleLine } from "../base/visible.ts";
import type { Called, Compacted, Decided, Ended, Happening, Sent } from "../session/happenings.ts";

export const speakers = { user: "You", assistant: "Agent", system: "System", thought: "Thought" } as const;

const planMarks: Readonly<Record<string, string>> = { completed: "☑", in_progress: "◐", pending: "☐" };

/** What an agent says is no name of ours to be looked up. */
export function planStatusOf(status: string): string {
  return Object.hasOwn(planMarks, status) ? status : "pending";
}

export function planMarkOf(status: string): string {
  return planMarks[planStatusOf(status)] ?? "";
}

/** `2026-01-31 14:05:09 UTC`: whoever reads it may be anywhere. */
export function utcText(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8e15
    ? `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`
    : "";
}

/** Its mark, and how it went where that is not well. */
export function outcomeOf({ status, isNews }: Called): { readonly mark: string; readonly word: string } {
  switch (status) {
    case "completed":
      return { mark: "✓", word: "" };
    case "failed":
      return { mark: "✗", word: "failed" };
    default:
      return {
        mark: "…",
        word: visibleLine(status ?? (isNews ? "in_progress" : "pending")).replaceAll("_", " "),
      };
  }
}

/** `1.2 s`, `3 min 5 s`; nothing where it is not known, or at once. */
export function spanText(ms: number): string {
  if (!(ms >= 100)) return "";
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** What is told in a line. */
export interface Note {
  readonly text: string;
  readonly isBad: boolean;
}

/** Undefined for what is told otherwise, or goes without saying. */
export function noteOf(happening: Happening): Note | undefined {
  switch (happening.type) {
    case "asked":
      return { text: visibleLine(`Permission asked: ${happening.title}`), isBad: false };
    case "decided":
      return { text: `Permission ${decisionText(happening)}`, isBad: happening.outcome !== "allowed" };
    case "set":
      return { text: visibleLine(`${happening.what}: ${happening.value}`), isBad: false };
    case "rewind":
      return { text: `Went back to #${happening.toSeq}`, isBad: false };
    case "end": {
      const text = endText(happening);
      // Who cancels a turn has what they wanted.
      return text === undefined ? undefined : { text, isBad: text !== cancelled };
    }
    default:
      return undefined;
  }
}

/** Of a message between agents: `from A to B`. */
export function wayOf({ from, to }: Sent): string {
  const way = [from === undefined ? "" : `from ${from}`, to === undefined ? "" : `to ${to}`];
  return visibleLine(way.join(" ").trim());
}

export const summaryHead = "Summary of what came before";

/** Undefined for a compaction of which there is nothing to tell. */
export function compactionHead({ summary, error, status }: Compacted): string | undefined {
  if (textOf({ content: summary }) === "" && error === undefined) return undefined;
  const head = error === undefined ? summaryHead : `Not compacted: ${error}`;
  return visibleLine(status === undefined || status === "completed" ? head : `${head} (${status})`);
}

function decisionText({ outcome, option }: Decided): string {
  const how = { allowed: "allowed", rejected: "rejected", cancelled: "withdrawn", failed: "not answered" }[
    outcome
  ];
  return option === undefined ? how : `${how}: ${visibleLine(option.name)}`;
}

const cancelled = "The turn ended: cancelled";

/** Undefined for a turn that ended as turns should. */
function endText({ end: { interrupted, error, stopReason } }: Ended): string | undefined {
  if (interrupted) return "The turn was cut off: the program that ran it was ended.";
  if (error !== undefined)
    return `The turn failed: ${visibleLine(error.message ?? String(error.code ?? "no reason given"))}`;
  if (stopReason === undefined || stopReason === "end_turn") return undefined;
  return `The turn ended: ${visibleLine(stopReason).replaceAll("_", " ")}`;
}

export function editedText(earlier: number): string {
  return `Said anew: ${earlier} earlier ${earlier === 1 ? "wording" : "wordings"}`;
}
