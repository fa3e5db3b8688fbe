/** What exports for people call things. */
import { agentLineOf } from "../../session/agent-names.ts";
import { visibleLine } from "../../base/visible.ts";
import type { Called, Decided, Ended } from "../../session/happenings.ts";
import type { SessionRecord } from "../../store/contract.ts";

export const speakers = { user: "You", assistant: "Agent", system: "System", thought: "Thought" } as const;

export const planMarks: Readonly<Record<string, string>> = { completed: "☑", in_progress: "◐", pending: "☐" };

/** `2026-01-31 14:05:09 UTC`: whoever reads it may be anywhere. */
export function utcText(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8e15
    ? `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`
    : "";
}

/** What a reader wants to know of a session, in order. */
export function factsOf(record: SessionRecord): readonly (readonly [string, string])[] {
  const { id, cwd, createdAtMs, updatedAtMs, lineage } = record;
  const agent = visibleLine(agentLineOf(record));
  return [
    ["Session", id],
    ["Folder", visibleLine(cwd)],
    ...(agent === "" ? [] : [["Agent", agent] as const]),
    ["Began", utcText(createdAtMs)],
    ["Last activity", utcText(updatedAtMs)],
    ...(lineage === undefined
      ? []
      : [["Forked from", `${lineage.parentId} after entry ${lineage.atSeq}`] as const]),
  ];
}

export function titleOf({ title, id }: SessionRecord): string {
  const line = visibleLine(title ?? "").trim();
  return line === "" ? `Session ${id}` : line;
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

export function decisionText({ outcome, option }: Decided): string {
  const how = { allowed: "allowed", rejected: "rejected", cancelled: "withdrawn", failed: "not answered" }[
    outcome
  ];
  return option === undefined ? how : `${how}: ${visibleLine(option.name)}`;
}

/** Undefined for a turn that ended as turns should. */
export function endText({ end: { interrupted, error, stopReason } }: Ended): string | undefined {
  if (interrupted) return "The turn was cut off: the program that ran it was ended.";
  if (error !== undefined)
    return `The turn failed: ${visibleLine(error.message ?? String(error.code ?? "no reason given"))}`;
  if (stopReason === undefined || stopReason === "end_turn") return undefined;
  return `The turn ended: ${visibleLine(stopReason).replaceAll("_", " ")}`;
}

export function editedText(earlier: number): string {
  return `Said anew: ${earlier} earlier ${earlier === 1 ? "wording" : "wordings"}`;
}
