/** The body of a request: of a bounded size, JSON, of the shape that the route wants. */
import { issueWords } from "../acp/schema.ts";
import { SidecarError } from "../base/errors.ts";
import { briefly, visibleLine } from "../base/visible.ts";
import { Refusal } from "./problems.ts";
import type { Issue, Route, Shape } from "./route.ts";

/** Errors: `INVALID_PARAMS` with the place and what is wrong there. */
export function checked<T>(shape: Shape<T>, value: unknown, what: string): T {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = visibleLine([what, ...(issue?.path ?? []).map(String)].join(".").slice(0, 200));
  throw new SidecarError("INVALID_PARAMS", `${at} ${issue === undefined ? "is invalid" : wordsOf(issue)}`, {
    data: { at },
  });
}

function wordsOf(issue: Issue): string {
  if (issue.code !== "unrecognized_keys") return briefly(issueWords(issue), 300);
  const [name = ""] = issue.keys;
  return `has no ${briefly(visibleLine(JSON.stringify(name)), 80)}; /api/openapi.json says what there is`;
}

/** Errors: 415, `MESSAGE_TOO_LARGE`, `PARSE_ERROR`, `INVALID_PARAMS`. */
export async function bodyFor(route: Route, request: Request, mostBytes: number): Promise<unknown> {
  if (route.body === undefined || route.takesAnything !== undefined) return undefined;
  const type = request.headers.get("content-type");
  const isJson = type !== null && /^application\/json\s*(;|$)/i.test(type);
  const mayBeNone = route.isBodyOptional === true;
  // That nothing is sent need not be said by any header: it is known when it was looked for.
  const text = isJson || mayBeNone ? await textWithin(request, mostBytes) : undefined;
  if (text === "" && mayBeNone) return checked(route.body, {}, "body");
  if (text === undefined || !isJson)
    throw new Refusal(415, "The body must be JSON: send it with Content-Type: application/json");
  return checked(route.body, parsed(text), "body");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // What stands there is none of the log's business.
    throw new SidecarError("PARSE_ERROR", "The body is no JSON; check it", { cause: error });
  }
}

/** Read piece by piece, so that one that is too long is never held. */
async function textWithin(request: Request, mostBytes: number): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > mostBytes) throw tooLarge(mostBytes);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of piecesOf(request)) {
    bytes += piece.byteLength;
    if (bytes > mostBytes) throw tooLarge(mostBytes);
    pieces.push(piece);
  }
  return new TextDecoder("utf-8", { fatal: false }).decode(Buffer.concat(pieces));
}

/** Errors: 400 where whoever sends goes away in the middle, which nobody but they is to blame for. */
export async function* piecesOf(request: Request): AsyncGenerator<Uint8Array> {
  if (request.body === null) return;
  const reader = request.body.getReader();
  const next = () =>
    reader.read().catch(() => {
      throw new Refusal(400, "The body was not sent to its end; send the request again");
    });
  try {
    for (let read = await next(); !read.done; read = await next()) yield read.value as Uint8Array;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

export function tooLarge(mostBytes: number): SidecarError {
  return new SidecarError(
    "MESSAGE_TOO_LARGE",
    `The body has more than the ${mostBytes} bytes that are taken`,
    {
      data: { mostBytes },
    },
  );
}
