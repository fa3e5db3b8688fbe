/** ACP's kinds of session updates, once: what each means, what may stand in it, and who takes it. */
import { isRecord } from "../base/json.ts";

/** The data of an `update` entry: params of `session/update` without the session id. */
export interface UpdateData {
  readonly update: { readonly sessionUpdate: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Whether a value may stand in a field. */
export type Check = (value: unknown) => boolean;
export type Fields = ReadonlyMap<string, Check>;

/** What a client says in `initialize` that it takes. */
export type Capability = "compaction" | "plan" | "subagents";

export interface UpdateKind {
  readonly means:
    /** A piece of a message. */
    | "chunk"
    | "toolCall"
    | "plan"
    | "compaction"
    | "subagent"
    /** What is now, and not what happened: only the last one counts. */
    | "state"
    /** A live event, which is no part of the history. */
    | "notice";
  /** Whose message it is a piece of. */
  readonly role?: "user" | "assistant" | "thought";
  /** Sent only to clients that said they take it. */
  readonly wants?: Capability;
  /** All fields that the protocol names, for kinds that are folded. */
  readonly fields?: Fields;
}

const text: Check = (value) => typeof value === "string";
const list: Check = Array.isArray;
const given: Check = (value) => value !== null;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const fields = (of: Readonly<Record<string, Check>>): Fields =>
  new Map(Object.entries({ sessionUpdate: text, ...of }));

const toolFields = fields({
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
});
const planFields = fields({ type: text, planId: text, entries: list, uri: text, content: text });
const compactionFields = { compactionId: text, status: text, summary: orNull(list), error: orNull(text) };
const infoFields = { title: orNull(text), updatedAt: orNull(text) };
const usageFields = { used: Number.isFinite, size: Number.isFinite, cost: orNull(isRecord) };
const isPlan: Check = (plan) => isRecord(plan) && hasOnly(plan, planFields);

/** https://agentclientprotocol.com/protocol/v1/schema#sessionupdate, and what is unstable there. */
export const updateKinds: ReadonlyMap<string, UpdateKind> = new Map<string, UpdateKind>([
  ["user_message_chunk", { means: "chunk", role: "user" }],
  ["agent_message_chunk", { means: "chunk", role: "assistant" }],
  ["agent_thought_chunk", { means: "chunk", role: "thought" }],
  ["tool_call", { means: "toolCall", fields: toolFields }],
  ["tool_call_update", { means: "toolCall", fields: toolFields }],
  ["plan", { means: "plan", fields: fields({ entries: list }) }],
  ["plan_update", { means: "plan", wants: "plan", fields: fields({ plan: isPlan }) }],
  ["plan_removed", { means: "plan", wants: "plan" }],
  ["compaction_update", { means: "compaction", wants: "compaction", fields: fields(compactionFields) }],
  [
    "compaction_summary_chunk",
    { means: "compaction", wants: "compaction", fields: fields({ compactionId: text, content: isRecord }) },
  ],
  ["subagent_update", { means: "subagent", wants: "subagents" }],
  ["session_message", { means: "subagent", wants: "subagents" }],
  ["session_message_chunk", { means: "subagent", wants: "subagents" }],
  ["available_commands_update", { means: "state", fields: fields({ availableCommands: list }) }],
  ["current_mode_update", { means: "state", fields: fields({ currentModeId: text }) }],
  ["config_option_update", { means: "state", fields: fields({ configOptions: list }) }],
  ["session_info_update", { means: "state", fields: fields(infoFields) }],
  ["usage_update", { means: "state", fields: fields(usageFields) }],
  ["notice", { means: "notice" }],
]);

/** Whether an update of this kind has this meaning. */
export function means(kind: string, meaning: UpdateKind["means"]): boolean {
  return updateKinds.get(kind)?.means === meaning;
}

/** Whether an update of this kind is said to somebody: no thought, and no event. */
export function isSpeech(kind: string): boolean {
  const { role = "thought" } = updateKinds.get(kind) ?? {};
  return role !== "thought";
}

/** Whether an update of this kind begins a call of a tool; others tell how it goes on. */
export function beginsCall(kind: string): boolean {
  return kind === "tool_call";
}

/** Whether nothing stands in an object but these fields, each as it must be. */
export function hasOnly(object: Readonly<Record<string, unknown>>, known: Fields): boolean {
  for (const name in object) if (known.get(name)?.(object[name]) !== true) return false;
  return true;
}

const usualStart = /^\{"update":\{"sessionUpdate":"([a-z_]+)"/;

/** The kind of a stored update, read from its first bytes; undefined when it is not written in the usual order. */
export function usualKindOf(data: string): string | undefined {
  return usualStart.exec(data)?.[1];
}

/** The kind of a stored update; "" for none. */
export function updateKindOf(data: string): string {
  return usualKindOf(data) ?? kindIn(data);
}

function kindIn(data: string): string {
  try {
    const { update } = JSON.parse(data) as { readonly update?: unknown };
    return isRecord(update) && typeof update.sessionUpdate === "string" ? update.sessionUpdate : "";
  } catch {
    return "";
  }
}
