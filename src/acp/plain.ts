/**
 * Which updates hold nothing but what we know: the fields of the protocol, each of its type, no `_meta`. Only those
 * may be joined with others.
 */
import { isRecord } from "../base/json.ts";
import type { UpdateData } from "./kinds.ts";

type Check = (value: unknown) => boolean;
type Fields = ReadonlyMap<string, Check>;

const text: Check = (value) => typeof value === "string";
const list: Check = Array.isArray;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const given: Check = (value) => value !== null;

const fieldsOf = (fields: Readonly<Record<string, Check>>): Fields =>
  new Map(Object.entries({ sessionUpdate: text, ...fields }));

const toolFields = {
  toolCallId: text,
  title: orNull(text),
  name: orNull(text),
  kind: orNull(text),
  status: orNull(text),
  content: orNull(list),
  locations: orNull(list),
  // Null may be a value here.
  rawInput: given,
  rawOutput: given,
};
const planFields = fieldsOf({ type: text, planId: text, entries: list, uri: text, content: text });

const byKind: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  tool_call: toolFields,
  tool_call_update: toolFields,
  plan: { entries: list },
  plan_update: { plan: (plan) => isRecord(plan) && hasOnly(plan, planFields) },
  compaction_update: {
    compactionId: text,
    status: text,
    summary: orNull(list),
    error: orNull(text),
  },
  compaction_summary_chunk: { compactionId: text, content: isRecord },
  available_commands_update: { availableCommands: list },
  current_mode_update: { currentModeId: text },
  config_option_update: { configOptions: list },
  session_info_update: { title: orNull(text), updatedAt: orNull(text) },
  usage_update: { used: Number.isFinite, size: Number.isFinite, cost: orNull(isRecord) },
};

const known = new Map(Object.entries(byKind).map(([kind, fields]) => [kind, fieldsOf(fields)]));

export function isPlainUpdate(data: UpdateData): boolean {
  const { update } = data;
  const checks = known.get(update.sessionUpdate);
  for (const name in data) if (name !== "update") return false;
  return checks !== undefined && hasOnly(update, checks);
}

function hasOnly(fields: Readonly<Record<string, unknown>>, checks: Fields): boolean {
  for (const name in fields) if (checks.get(name)?.(fields[name]) !== true) return false;
  return true;
}
