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
 * The `_meta` of an update that is plain apart from it, if nothing stands in it but facts that agents say with every
 * update: said again to the letter they say nothing more. Whatever else stands there may be a piece of something.
 */
export function lastingMetaIn(data: UpdateData): object | undefined {
  const { _meta, ...update } = data.update;
  if (!isRecord(_meta) || !isPlainUpdate({ ...data, update: update })) return undefined;
  return isFacts(_meta) ? _meta : undefined;
}

/** As Claude Agent (`claudeCode.toolName`, `_claude/model`) and Qwen Code (`toolName`, `provenance`) are seen to name them. */
const factNames: ReadonlySet<string> = new Set([
  "claudeCode",
  "_claude/model",
  "_claude/origin",
  "kind",
  "parentToolUseId",
  "phase",
  "provenance",
  "toolName",
]);
const maxFacts = 20;

/** Without recursion: it may be nested as deep as it likes. */
function isFacts(meta: object): boolean {
  const open: unknown[] = [meta];
  let facts = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    for (const [name, value] of Object.entries(next)) {
      facts += 1;
      if (facts > maxFacts || !factNames.has(name)) return false;
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
