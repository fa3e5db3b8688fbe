/** Plans, compactions and settings as the teller tells them. */
import type { Meaning } from "../acp/entries.ts";
import { isRecord, textIf, textOr, type Json } from "../base/json.ts";
import type { Compacted, Place, Planned, PlanStep, Set } from "./happenings.ts";

/** Undefined for a plan in which nothing stands. */
export function planned(
  { planId, data }: Meaning & { readonly type: "plan" },
  at: Place,
): Planned | undefined {
  const { update } = data;
  const isRemoved = update.sessionUpdate === "plan_removed";
  const plan = isRecord(update.plan) ? update.plan : update;
  const entries: readonly unknown[] = Array.isArray(plan.entries) ? plan.entries : [];
  const steps = entries.flatMap(stepIn);
  const text = textIf(plan.content) ?? textIf(plan.uri);
  if (steps.length === 0 && text === undefined && !isRemoved) return undefined;
  return { type: "plan", planId, steps, text, isRemoved, ...at };
}

function stepIn(entry: unknown): PlanStep[] {
  return isRecord(entry)
    ? [{ text: textOr(entry.content, ""), status: textOr(entry.status, "pending") }]
    : [];
}

export function compacted(
  { compactionId, data }: Meaning & { readonly type: "compaction" },
  at: Place,
): Compacted {
  const { sessionUpdate, status, summary, content, error } = data.update;
  const isPiece = sessionUpdate === "compaction_summary_chunk";
  const blocks = isPiece ? [content] : Array.isArray(summary) ? summary : [];
  return {
    type: "compaction",
    compactionId,
    status: textIf(status),
    summary: blocks as Json[],
    // An update that says nothing of the summary leaves it as it was.
    goesOn: isPiece || summary === undefined,
    error: textIf(error),
    ...at,
  };
}

export function setting({ method, params }: Meaning & { readonly type: "setting" }, at: Place): Set {
  const value = params.modeId ?? params.value ?? params.title;
  const what = textOr(params.configId, "") || method.replace(/^session\/set_/, "").replaceAll("_", " ");
  return {
    type: "set",
    method,
    what,
    value: typeof value === "boolean" ? String(value) : textOr(value, ""),
    ...at,
  };
}
