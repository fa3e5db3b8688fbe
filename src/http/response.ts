/** Every answer: with what a browser is to know of all that comes from here. */

const usual = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

type Body = ConstructorParameters<typeof Response>[0];

/** @param headers with names in lower case; they go before the usual ones */
export function responseOf(body: Body, status: number, headers: Readonly<Record<string, string>>): Response {
  return new Response(body, { status, headers: { ...usual, ...headers } });
}
