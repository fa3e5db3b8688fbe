/** Takes secrets out of what is logged or printed. A leaf: every part may import it. */

const secretKeys = new Set([
  "mcpservers",
  "env",
  "headers",
  "authorization",
  "password",
  "token",
  "apikey",
  "api_key",
  "secret",
]);

const hidden = "[redacted]";

/**
 * Passwords inside URLs, wherever in the text: `postgres://me:pw@host` becomes `postgres://me:***@host`. Also
 * those that should have been escaped, such as `p#w/`: such a URL opens nothing, but it is shown.
 */
export function redactUrls(text: string): string {
  return text
    .replace(/(\/\/[^\s:/?#@]*):[^\s"']*@/g, "$1:***@")
    .replace(/([?&](?:password|token|secret|api_?key)=)[^\s&#]*/gi, "$1***");
}

/** A store's URL as it may be shown. Of layers each is redacted for itself, so that none hides another. */
export function redactStoreUrl(url: string): string {
  const list = /^layered:(.*)$/is.exec(url)?.[1];
  if (list === undefined) return redactUrls(url);
  try {
    return `layered:${JSON.stringify(redact(JSON.parse(list)))}`;
  } catch {
    return redactUrls(url);
  }
}

/** A copy without the values of secret fields, at any depth; what is too deep to be of use is cut off. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactUrls(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > 6) return "[…]";
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      secretKeys.has(key.toLowerCase()) ? hidden : redact(item, depth + 1),
    ]),
  );
}

function redactError(error: Error, depth: number): unknown {
  const { name, message, stack, cause } = error;
  return {
    ...(redact({ ...error }, depth + 1) as object),
    name,
    message: redactUrls(message),
    ...(stack === undefined ? {} : { stack: redactUrls(stack) }),
    ...(cause === undefined ? {} : { cause: redact(cause, depth + 1) }),
  };
}
