/** Answers as bytes: an `ETag` for what may be asked for again, compressed for whoever takes it. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { jsonTextOf } from "../base/json-text.ts";
import { responseOf } from "./response.ts";

/** What is answered: JSON, unless it is a whole response. */
export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  /** In the place of `body`: its JSON, ready. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const compressed = promisify(gzip);
/** Less is sent as it is: a packet takes it anyway. */
const fewestChars = 1400;

export async function answered(request: Request, answer: Answer | Response): Promise<Response> {
  if (answer instanceof Response) return answer;
  const { status = 200, body, text = body === undefined ? "" : jsonTextOf(body) } = answer;
  const headers: Record<string, string> = {
    "cache-control": "no-cache",
    vary: "accept-encoding",
    ...answer.headers,
  };
  if (text === "") return responseOf(null, answer.status ?? 204, headers);
  headers["content-type"] ??= "application/json";
  if (request.method === "GET" || request.method === "HEAD") {
    headers["etag"] ??= tagOf(text);
    if (isKnown(request.headers.get("if-none-match"), headers["etag"]))
      return responseOf(null, 304, without(headers, "content-type"));
  }
  if (text.length < fewestChars || !takesGzip(request)) return responseOf(text, status, headers);
  headers["content-encoding"] = "gzip";
  return responseOf(await compressed(text), status, headers);
}

/** A strong one would promise the same bytes, compressed or not. */
export function tagOf(text: string): string {
  return `W/"${createHash("sha1").update(text).digest("base64url")}"`;
}

export function isKnown(header: string | null, tag: string): boolean {
  if (header === null) return false;
  const plain = (each: string) => each.trim().replace(/^W\//, "");
  return header.split(",").some((each) => each.trim() === "*" || plain(each) === plain(tag));
}

export function takesGzip(request: Request): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?(,|$))/.test(request.headers.get("accept-encoding") ?? "");
}

function without(headers: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name));
}
