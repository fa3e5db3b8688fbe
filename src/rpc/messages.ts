/** What a message text is: the envelope of JSON-RPC 2.0, or something for the fast lane. */
import { SidecarError, type ErrorCode } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import type { OutlineFields } from "./outline.ts";

export type RequestId = string | number;

export interface RequestMessage {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly method: string;
  readonly params?: unknown;
}

export interface ResponseMessage {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** A fast way for notifications of one kind: many at once, and unparsed where their text shows what they are. */
export interface Lane<T> {
  /** Whole lines in one piece, if all of them are of this kind and that can be seen. */
  recognise(lines: string): T | undefined;
  /**
   * A notification that was parsed, if it is of this kind.
   * @param text on one line
   */
  take(text: string, message: Readonly<Record<string, unknown>>): T | undefined;
  /** What stands for a notification that is too long to be taken, if it is of this kind. */
  skipped?(outline: OutlineFields, reason: string): T | undefined;
  /** Adds what came next to what came with it. */
  add(batch: T[], next: T): void;
  /** Takes what came together, in order. A returned promise holds back the messages after it. */
  deliver(batch: readonly T[]): void | Promise<void>;
}

export type Parsed<T> =
  | { readonly type: "lane"; readonly item: T }
  | { readonly type: "request"; readonly message: RequestMessage }
  | { readonly type: "notification"; readonly method: string; readonly params: unknown }
  /** With a fault, it stands for an answer that is none: whoever waits for it must hear something. */
  | { readonly type: "response"; readonly message: ResponseMessage; readonly fault?: string }
  | { readonly type: "not-json" }
  | { readonly type: "invalid"; readonly id: RequestId | null; readonly reason: string };

export function parseMessage<T = never>(text: string, lane?: Lane<T>): Parsed<T> {
  const item = lane?.recognise(text);
  if (item !== undefined) return { type: "lane", item };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { type: "not-json" };
  }
  if (!isRecord(value)) {
    const what = Array.isArray(value) ? "a batch: send its messages one by one" : "not an object";
    return { type: "invalid", id: null, reason: `The message is ${what}` };
  }
  return "method" in value ? parseCall(text, value, lane) : parseResponse(value);
}

function parseCall<T>(
  text: string,
  value: Readonly<Record<string, unknown>>,
  lane: Lane<T> | undefined,
): Parsed<T> {
  const { id, method, params } = value;
  const echoId = isRequestId(id) ? id : null;
  if (typeof method !== "string") return { type: "invalid", id: echoId, reason: "method is not a string" };
  if (value.jsonrpc !== "2.0") return { type: "invalid", id: echoId, reason: 'jsonrpc is not "2.0"' };
  if (params !== undefined && typeof params !== "object") {
    return { type: "invalid", id: echoId, reason: "params is neither an object nor an array" };
  }
  if (!("id" in value)) {
    const item = lane?.take(onOneLine(text), value);
    return item === undefined ? { type: "notification", method, params } : { type: "lane", item };
  }
  if (echoId === null) return { type: "invalid", id: null, reason: "id is neither a string nor a number" };
  return { type: "request", message: value as unknown as RequestMessage };
}

/** Only header framing lets a message spread over lines: never in a string, which would have an escape there. */
function onOneLine(text: string): string {
  return text.includes("\n") ? text.replaceAll("\n", " ") : text;
}

function parseResponse(value: Readonly<Record<string, unknown>>): Parsed<never> {
  const { id, error } = value;
  const fault = "The message is no request, no notification and no response";
  if (!isRequestId(id)) return { type: "invalid", id: null, reason: fault };
  if ("result" in value || isRecord(error)) {
    return { type: "response", message: value as unknown as ResponseMessage };
  }
  // Ids of the two directions are apart: to name this one in an answer would answer another question.
  return { type: "response", message: noAnswer(id, "The answer has neither a result nor an error"), fault };
}

/** Stands for an answer that cannot be taken as one. */
export function noAnswer(
  id: RequestId,
  reason: string,
  code: ErrorCode = "INVALID_REQUEST",
): ResponseMessage {
  const { rpcCode, message } = new SidecarError(code, reason);
  return { jsonrpc: "2.0", id, error: { code: rpcCode, message, data: { code } } };
}

export function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" || (typeof id === "number" && Number.isFinite(id));
}

/** JSON can be read at any depth, but written only as deep as the stack allows: undefined beyond that. */
export function wireText(message: object): string | undefined {
  try {
    return JSON.stringify(message);
  } catch {
    return undefined;
  }
}

export function unwritable(what: string): SidecarError {
  return new SidecarError("INVALID_REQUEST", `${what} is nested too deeply to be passed on`);
}
