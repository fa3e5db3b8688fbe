/** Answers as bytes: an `ETag` for what may be asked for again, compressed for whoever takes it. */
import { jsonTextOf } from "../base/json-text.ts";
import { tagOf, type Ready } from "./ready.ts";
import { fewestBytes, headersFor, isKnown, notChanged, responseOf, takesGzip } from "./response.ts";
import { zipped } from "./zipped.ts";

/** What is answered: JSON, unless it is a whole response. */
export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  /** In the place of `body`: its JSON, ready. */
  readonly text?: string;
  /** In the place of all others. */
  readonly ready?: Ready;
  readonly headers?: Readonly<Record<string, string>>;
}

export function answered(request: Request, answer: Answer | Response): Response | Promise<Response> {
  if (answer instanceof Response) return answer;
  return answer.ready?.to(request) ?? made(request, answer);
}

async function made(request: Request, answer: Answer): Promise<Response> {
  const { status = 200, body, text = body === undefined ? "" : jsonTextOf(body) } = answer;
  if (text === "") return responseOf(null, answer.status ?? 204, headersFor({ ...answer.headers }));
  const headers = headersFor({ "content-type": "application/json", ...answer.headers });
  // Made into bytes once: its tag and its length are of these, too.
  const bytes = Buffer.from(text);
  if (request.method === "GET" || request.method === "HEAD") {
    headers["etag"] ??= tagOf(bytes);
    if (isKnown(request.headers.get("if-none-match"), headers["etag"])) return notChanged(headers);
  }
  if (bytes.length < fewestBytes || !takesGzip(request)) return responseOf(bytes, status, headers);
  headers["content-encoding"] = "gzip";
  return responseOf(await zipped(bytes), status, headers);
}
