/** Every answer: with what a browser is to know of all that comes from here, and what decides how it is sent. */

const usual = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

type Body = ConstructorParameters<typeof Response>[0];
type Headers = Readonly<Record<string, string>>;

/** Less is sent as it is: a packet takes it anyway. */
export const fewestBytes = 1400;

/** @param headers with names in lower case; they go before the usual ones */
export function responseOf(body: Body, status: number, headers: Headers): Response {
  // Those of an answer have the usual ones within them.
  const all = headers["x-content-type-options"] === undefined ? { ...usual, ...headers } : headers;
  return new Response(body, { status, headers: all });
}

/** The headers of an answer that may be kept and asked for again. @param headers they go before the usual ones */
export function headersFor(headers: Headers): Record<string, string> {
  return { ...usual, "cache-control": "no-cache", vary: "accept-encoding", ...headers };
}

export function notChanged({ "content-type": _, ...headers }: Headers): Response {
  return responseOf(null, 304, headers);
}

export function isKnown(header: string | null, tag: string): boolean {
  if (header === null) return false;
  const plain = (each: string) => each.trim().replace(/^W\//, "");
  return header.split(",").some((each) => each.trim() === "*" || plain(each) === plain(tag));
}

export function takesGzip(request: Pick<Request, "headers">): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?(,|$))/.test(request.headers.get("accept-encoding") ?? "");
}
