/**
 * Which updates hold nothing but what we know: the fields of the protocol, each of its type, no `_meta`. Only those
 * may be joined with others.
 */
import { isRecord } from "../base/json.ts";
import { hasOnly, means, updateKinds, type UpdateData } from "./kinds.ts";

export function isPlainUpdate(data: UpdateData): boolean {
  const { update } = data;
  const fields = updateKinds.get(update.sessionUpdate)?.fields;
  for (const name in data) if (name !== "update") return false;
  return fields !== undefined && hasOnly(update, fields);
}

/**
 * The `_meta` of an update that is plain but for that, if it says how something is and not what is added to it: said
 * again to the letter it says nothing more. What agents send piece by piece there (terminal output) is told by its names.
 */
export function lastingMetaIn(data: UpdateData): object | undefined {
  const { _meta, ...update } = data.update;
  if (!isRecord(_meta) || !isPlainUpdate({ ...data, update: update })) return undefined;
  return isLasting(_meta) ? _meta : undefined;
}

const addsByName =
  /terminal|output|delta|chunk|piece|part|append|stream|data|text|log|line|event|progress|tick|count/i;
/** What is larger is content rather than a fact. */
const maxMetaParts = 50;

/** Without recursion: it may be nested as deep as it likes. */
function isLasting(meta: object): boolean {
  const open: unknown[] = [meta];
  let parts = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    for (const [name, value] of Object.entries(next)) {
      parts += 1;
      if (parts > maxMetaParts || (!Array.isArray(next) && addsByName.test(name))) return false;
      open.push(value);
    }
  }
  return true;
}

/**
 * The text of a chunk that can be joined with its neighbours without losing anything: plain text that
 * carries no annotation, `_meta` or field that we do not know.
 * @param dataFields how many fields the params have when they are plain: the session id may be among them
 */
export function joinableText(data: UpdateData, dataFields = 1): string | undefined {
  const { update } = data;
  const { sessionUpdate, content, messageId = null } = update;
  if (!means(sessionUpdate, "chunk") || (messageId !== null && typeof messageId !== "string"))
    return undefined;
  if (!isRecord(content) || content.type !== "text" || typeof content.text !== "string") return undefined;
  if (!counts(content, 2)) return undefined;
  const fields = update.messageId === undefined ? 2 : 3;
  if (!counts(update, fields) || !counts(data, dataFields)) return undefined;
  return content.text;
}

/** Whether it has so many fields. Cheaper than Object.keys on the hot path. */
function counts(object: Readonly<Record<string, unknown>>, fields: number): boolean {
  let count = 0;
  for (const _field in object) count += 1;
  return count === fields;
}
