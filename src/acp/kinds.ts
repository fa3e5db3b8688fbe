/** What the session layer knows of ACP's session updates. Everything that it does not know it keeps as it is. */
import { isRecord } from "../base/json.ts";

/** The data of an `update` entry: params of `session/update` without the session id. */
export interface UpdateData {
  readonly update: { readonly sessionUpdate: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Pieces of a message; text pieces of one message may be joined. */
export const chunkUpdates: ReadonlySet<string> = new Set([
  "user_message_chunk",
  "agent_message_chunk",
  "agent_thought_chunk",
]);

/** Updates that say what is now and not what happened: only the last one counts. */
export const stateUpdates: ReadonlySet<string> = new Set([
  "available_commands_update",
  "current_mode_update",
  "config_option_update",
  "session_info_update",
  "usage_update",
]);

export const toolUpdates: ReadonlySet<string> = new Set(["tool_call", "tool_call_update"]);

/** Live events that are no part of the history (ACP: session notices). */
export const liveOnlyUpdates: ReadonlySet<string> = new Set(["notice"]);

/**
 * The text of a chunk that can be joined with its neighbours without losing anything: plain text that
 * carries no annotation, `_meta` or field that we do not know.
 * @param dataFields how many fields the params have when they are plain: the session id may be among them
 */
export function joinableText(data: UpdateData, dataFields = 1): string | undefined {
  const { update } = data;
  const { sessionUpdate, content, messageId = null } = update;
  if (!chunkUpdates.has(sessionUpdate) || (messageId !== null && typeof messageId !== "string"))
    return undefined;
  if (!isRecord(content) || content.type !== "text" || typeof content.text !== "string") return undefined;
  if (!hasOnly(content, 2)) return undefined;
  const fields = update.messageId === undefined ? 2 : 3;
  if (!hasOnly(update, fields) || !hasOnly(data, dataFields)) return undefined;
  return content.text;
}

/** Cheaper than Object.keys on the hot path. */
function hasOnly(object: Readonly<Record<string, unknown>>, fields: number): boolean {
  let count = 0;
  for (const _field in object) count += 1;
  return count === fields;
}

/** The kind of a stored update, read from its first bytes where it was written in the usual order; "" for none. */
export function updateKindOf(data: string): string {
  const usual = /^\{"update":\{"sessionUpdate":"([a-z_]+)"/.exec(data)?.[1];
  return usual ?? kindIn(data);
}

function kindIn(data: string): string {
  try {
    const { update } = JSON.parse(data) as { readonly update?: unknown };
    return isRecord(update) && typeof update.sessionUpdate === "string" ? update.sessionUpdate : "";
  } catch {
    return "";
  }
}
