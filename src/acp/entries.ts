/** What a journal's entries mean. The one decoder: replay, messages, handover and fold stand on it. */
import { endOfString } from "../base/json-text.ts";
import { isRecord, objectIn, textIf, type Json } from "../base/json.ts";
import type { NewEntry } from "../store/contract.ts";
import { childMark } from "./child-mark.ts";
import { means, updateKinds, usualKindOf, type UpdateData, type UpdateKind } from "./kinds.ts";
import { joinableText } from "./plain.ts";

export type Role = "user" | "assistant" | "system";

/**
 * An entry, decoded as far as it is understood. Content blocks are ACP's
 * (https://agentclientprotocol.com/protocol/v1/content).
 */
export type Meaning =
  /** What the user said. `messageId` if the client gave one. */
  | { readonly type: "prompt"; readonly content: readonly Json[]; readonly messageId: string | undefined }
  /** Put in by the library. */
  | { readonly type: "message"; readonly role: Role; readonly content: readonly Json[] }
  | {
      readonly type: "chunk";
      readonly role: NonNullable<UpdateKind["role"]>;
      readonly content: Json;
      /** What chunks of one message have in common. */
      readonly messageId: string | undefined;
      readonly data: UpdateData;
    }
  | { readonly type: "toolCall"; readonly toolCallId: string; readonly data: UpdateData }
  /** A turn's plan, or one with an id. */
  | { readonly type: "plan"; readonly planId: string | undefined; readonly data: UpdateData }
  | { readonly type: "compaction"; readonly compactionId: string; readonly data: UpdateData }
  /** What is now, not what happened: only the last value counts. */
  | { readonly type: "state"; readonly kind: string; readonly data: UpdateData }
  /** Of the session of a subagent. */
  | { readonly type: "child"; readonly child: string; readonly data: UpdateData }
  /** A subagent is announced or changes, or sessions speak to each other. */
  | { readonly type: "subagent"; readonly kind: string; readonly data: UpdateData }
  | (Exchange & { readonly type: "request"; readonly params: unknown })
  | (Exchange & { readonly type: "response"; readonly result: unknown })
  | { readonly type: "setting"; readonly method: string; readonly params: Readonly<Record<string, unknown>> }
  | { readonly type: "end"; readonly end: TurnEnd }
  /** From here on what came after `toSeq` does not count. */
  | { readonly type: "rewind"; readonly toSeq: number }
  /** Stands for the conversation up to `throughSeq`. `by` says who wrote it. */
  | {
      readonly type: "summary";
      readonly throughSeq: number;
      readonly content: readonly Json[];
      readonly by: string | undefined;
    }
  /** What is known of the project's files: no part of the conversation. */
  | { readonly type: "context" }
  /** Of a kind or form that we do not know, or no JSON at all. */
  | { readonly type: "unknown" };

/** A request of the agent to the client, or its answer. `child` names the subagent's session whose it is. */
interface Exchange {
  readonly id: unknown;
  readonly method: string;
  readonly child?: string;
}

export interface TurnEnd {
  readonly stopReason?: string;
  readonly usage?: unknown;
  /** The code of the error that ended it, and its message. */
  readonly error?: { readonly code?: string | number; readonly message?: string };
  /** The process that held the session ended in the middle of the turn. */
  readonly interrupted: boolean;
}

const unknown: Meaning = { type: "unknown" };

/** Never throws: what cannot be decoded is `unknown` and stays as it came. */
export function meaningOf({ kind, data: text }: Pick<NewEntry, "kind" | "data">): Meaning {
  const data = objectIn(text);
  // A program that is newer may have written a kind that is not known here.
  const decode = Object.hasOwn(decoders, kind) ? decoders[kind] : undefined;
  return data === undefined || decode === undefined ? unknown : decode(data);
}

type Fields = Readonly<Record<string, unknown>>;

const decoders: Readonly<Record<NewEntry["kind"], (data: Fields) => Meaning>> = {
  prompt: ({ prompt, messageId }) =>
    Array.isArray(prompt)
      ? { type: "prompt", content: prompt as Json[], messageId: textIf(messageId) }
      : unknown,
  message: ({ role, content }) =>
    isRole(role) && Array.isArray(content) ? { type: "message", role, content: content as Json[] } : unknown,
  update: (data) => (isUpdateData(data) ? updateMeaning(data) : unknown),
  request: ({ id, method, params, [childMark]: child }) =>
    typeof method === "string" ? { type: "request", id, method, params, ...ofChild(child) } : unknown,
  response: ({ id, method, result, [childMark]: child }) =>
    typeof method === "string" ? { type: "response", id, method, result, ...ofChild(child) } : unknown,
  setting: ({ method, params }) =>
    typeof method === "string" && isRecord(params) ? { type: "setting", method, params } : unknown,
  end: (data) => ({ type: "end", end: endOf(data) }),
  rewind: ({ toSeq }) => (isSeq(toSeq) ? { type: "rewind", toSeq } : unknown),
  summary: ({ throughSeq, content, by }) =>
    isSeq(throughSeq) && Array.isArray(content)
      ? { type: "summary", throughSeq, content: content as Json[], by: textIf(by) }
      : unknown,
  context: () => ({ type: "context" }),
};

function updateMeaning(all: UpdateData): Meaning {
  // Most belong to no child, and a copy takes longer than all the rest.
  if (!(childMark in all)) return meaningOfUpdate(all);
  const { [childMark]: child, ...data } = all;
  return typeof child === "string" ? { type: "child", child, data } : meaningOfUpdate(data);
}

/** What an update means, whoever's it is. */
export function meaningOfUpdate(data: UpdateData): Meaning {
  const { sessionUpdate: kind, toolCallId, compactionId, content, messageId } = data.update;
  const { means: meaning, role } = updateKinds.get(kind) ?? {};
  switch (meaning) {
    case "chunk":
      return role === undefined
        ? unknown
        : { type: "chunk", role, content: content as Json, messageId: textIf(messageId), data };
    case "state":
      return { type: "state", kind, data };
    case "toolCall":
      return typeof toolCallId === "string" ? { type: "toolCall", toolCallId, data } : unknown;
    case "compaction":
      return typeof compactionId === "string" ? { type: "compaction", compactionId, data } : unknown;
    case "subagent":
      return { type: "subagent", kind, data };
    case "plan":
      return kind === "plan" ? { type: "plan", planId: undefined, data } : planMeaning(data);
    default:
      return unknown;
  }
}

function planMeaning(data: UpdateData): Meaning {
  const { plan, planId } = data.update;
  const id = textIf(isRecord(plan) ? plan.planId : planId);
  return id === undefined ? unknown : { type: "plan", planId: id, data };
}

function endOf({ result, error, interrupted }: Fields): TurnEnd {
  const { stopReason, usage } = isRecord(result) ? result : {};
  return {
    interrupted: interrupted === true,
    ...(typeof stopReason === "string" && { stopReason }),
    ...(usage !== undefined && { usage }),
    ...(isRecord(error) && { error: errorOf(error) }),
  };
}

function errorOf({ name, code, message }: Fields): NonNullable<TurnEnd["error"]> {
  const stable = typeof name === "string" ? name : code;
  return {
    ...((typeof stable === "string" || typeof stable === "number") && { code: stable }),
    ...(typeof message === "string" && { message }),
  };
}

/** A text chunk that carries nothing else, as it stands in the journal. */
export interface PlainChunk {
  readonly sessionUpdate: string;
  /** Its text, as JSON has it between quotes. */
  readonly body: string;
  /** As JSON: a string or null; undefined if there is none. */
  readonly messageId: string | undefined;
}

/** How the data of a plain text chunk begins, by kind, up to its text. */
const chunkHeads: ReadonlyMap<string, string> = new Map(
  [...updateKinds.keys()].flatMap((kind) => (means(kind, "chunk") ? [[kind, chunkHead(kind)]] : [])),
);
const chunkEnd = '"}}}';
const chunkEndWithId = /^"\},"messageId":("[^"\\]{0,200}"|null)\}\}$/;

function chunkHead(sessionUpdate: string): string {
  return `{"update":{"sessionUpdate":"${sessionUpdate}","content":{"type":"text","text":"`;
}

/** The data of an update that is a plain text chunk, unparsed where it is written as we write it. */
export function plainChunkIn(data: string): PlainChunk | undefined {
  const kind = usualKindOf(data);
  if (kind === undefined) return parsedChunkIn(data);
  const head = chunkHeads.get(kind);
  return head === undefined ? undefined : (usualChunkIn(data, kind, head) ?? parsedChunkIn(data));
}

function usualChunkIn(data: string, sessionUpdate: string, head: string): PlainChunk | undefined {
  // Compared as a slice: V8 compiles startsWith to a loop over characters.
  if (data.slice(0, head.length) !== head) return undefined;
  const end = endOfString(data, head.length);
  // Whatever is longer is not only an id.
  if (end < 0 || data.length - end > 250) return undefined;
  const tail = data.slice(end);
  const messageId = tail === chunkEnd ? undefined : chunkEndWithId.exec(tail)?.[1];
  if (tail !== chunkEnd && messageId === undefined) return undefined;
  return { sessionUpdate, body: data.slice(head.length, end), messageId };
}

function parsedChunkIn(data: string): PlainChunk | undefined {
  const parsed = objectIn(data);
  if (parsed === undefined || !isUpdateData(parsed)) return undefined;
  const { sessionUpdate: kind, messageId } = parsed.update;
  const text = joinableText(parsed);
  if (text === undefined || !isId(messageId)) return undefined;
  return {
    sessionUpdate: kind,
    body: JSON.stringify(text).slice(1, -1),
    messageId: messageId === undefined ? undefined : JSON.stringify(messageId),
  };
}

/** The data of a plain text chunk. */
export function plainChunkData({ sessionUpdate, body, messageId }: PlainChunk): string {
  const id = messageId === undefined ? "" : `,"messageId":${messageId}`;
  return `${chunkHead(sessionUpdate)}${body}"}${id}}}`;
}

/** The text that stands between quotes in JSON. */
export function unquoted(body: string): string {
  return body.includes("\\") ? (JSON.parse(`"${body}"`) as string) : body;
}

function isUpdateData(data: Fields): data is UpdateData {
  return isRecord(data.update) && typeof data.update.sessionUpdate === "string";
}

function ofChild(child: unknown): { readonly child?: string } {
  return typeof child === "string" ? { child } : {};
}

/** Whether a turn begins with this entry: it is what a person said. */
export function beginsTurn(entry: Pick<NewEntry, "kind" | "data">): boolean {
  if (entry.kind !== "message") return entry.kind === "prompt";
  const meaning = meaningOf(entry);
  return meaning.type === "message" && meaning.role === "user";
}

function isRole(role: unknown): role is Role {
  return role === "user" || role === "assistant" || role === "system";
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isId(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === "string";
}
