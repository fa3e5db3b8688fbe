/** Takes secrets out of what is logged or printed, by how they look. */

import { isSecretName } from "./secret-values.ts";
import { layeredUrl, layersOf } from "./store-url.ts";

/** Where secrets stand among other things: none of it is shown. */
const secretPlaces = new Set(["mcpservers", "env", "headers"]);

/** Stands in the place of a secret. */
export const hidden = "[redacted]";
/** A log needs only the beginning of a longer text. */
const maxTextChars = 16_384;

/** Where a password may begin in a URL: after the user's name, which may be empty. Not in an IPv6 address or a path. */
const authority = /(?:\/\/|\b(?:postgres(?:ql)?|rediss?|https?|wss?):(?!\/\/))[^\s:/?#@[]*:/gi;
/** A value whose name says that it is secret, with or without quotes, as libpq takes it. */
const namedValue =
  /((?:^|[?&;\s])(?:[\w.-]{0,64}(?:password|passwd|passphrase|token|secret|api_?key)))=('[^'\n]*'|"[^"\n]*"|[^\s&#]*)/gi;

/**
 * Passwords inside URLs, wherever in the text: `postgres://me:pw@host` becomes `postgres://me:***@host`. Also
 * those that should have been escaped, such as `p#w/` or `p "w`: such a URL opens nothing, but it is shown. Linear in
 * the text, whatever it holds.
 */
export function redactUrls(text: string): string {
  return withoutPasswords(text).replace(namedValue, "$1=***");
}

function withoutPasswords(text: string): string {
  if (!text.includes("@")) return text;
  const starts = Array.from(text.matchAll(authority), ({ index, 0: head }) => index + head.length);
  const words = new Words(text);
  let safe = "";
  let done = 0;
  for (const [at, from] of starts.entries()) {
    if (from < done) continue;
    const end = words.lastAt(from) ?? lastAtOfLine(text, from, starts[at + 1] ?? text.length);
    if (end === undefined) continue;
    safe += `${text.slice(done, from)}***`;
    done = end;
  }
  return safe + text.slice(done);
}

/** The words of a text, for questions that ask for later and later places. */
class Words {
  readonly #text: string;
  #end = -1;
  #lastAt = -1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The last `@` after `from` in the same word. */
  lastAt(from: number): number | undefined {
    if (from > this.#end) {
      const rest = /[\s"']/g;
      rest.lastIndex = from;
      this.#end = rest.exec(this.#text)?.index ?? this.#text.length;
      this.#lastAt = from + this.#text.slice(from, this.#end).lastIndexOf("@");
      if (this.#text[this.#lastAt] !== "@") this.#lastAt = -1;
    }
    return this.#lastAt >= from ? this.#lastAt : undefined;
  }
}

/** The last `@` on the line before `before`: it ends a password with spaces or quotes in it. Not where a port begins. */
function lastAtOfLine(text: string, from: number, before: number): number | undefined {
  if (/^(?:\s|$|\d{1,5}(?!\d|[^\s/?#"'),;\]}]))/.test(text.slice(from, from + 7))) return undefined;
  const [line = ""] = text.slice(from, before).split("\n", 1);
  const at = line.lastIndexOf("@");
  return at < 0 ? undefined : from + at;
}

/** A store's URL as it may be shown. Each layer is redacted by itself, so that none hides another. */
export function redactStoreUrl(url: string): string {
  const layers = layersOf(url);
  return layers === undefined ? redactUrls(url) : layeredUrl(layers.map(redactUrls));
}

/**
 * A copy without the values of secret fields, at any depth; what is too deep to be of use is cut off.
 * @param hide what else is done to every text
 */
export function redact(value: unknown, hide: (text: string) => string = (text) => text, depth = 0): unknown {
  if (typeof value === "string") return shown(value, hide);
  if (typeof value !== "object" || value === null) return value;
  if (depth > 6) return "[…]";
  if (value instanceof Error) return redactError(value, hide, depth);
  if (Array.isArray(value)) return value.map((item) => redact(item, hide, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      isSecret(key, item) ? hidden : redact(item, hide, depth + 1),
    ]),
  );
}

function isSecret(key: string, value: unknown): boolean {
  if (secretPlaces.has(key.toLowerCase().replaceAll(/[-_]/g, ""))) return true;
  // A number of tokens is no secret.
  return isSecretName(key) && typeof value !== "number" && typeof value !== "boolean";
}

function shown(text: string, hide: (text: string) => string): string {
  const safe = redactUrls(hide(text));
  const more = safe.length - maxTextChars;
  return more > 0 ? `${safe.slice(0, maxTextChars)}… (${more} characters more)` : safe;
}

function redactError(error: Error, hide: (text: string) => string, depth: number): unknown {
  const { name, cause } = error;
  // What could not be parsed is quoted there.
  const quotes = error instanceof SyntaxError;
  const message = quotes ? "a text could not be parsed" : error.message;
  const stack = quotes ? error.stack?.replace(/^.*?(?=\n +at )/s, message) : error.stack;
  return {
    ...(redact({ ...error }, hide, depth + 1) as object),
    name,
    message: shown(message, hide),
    ...(stack === undefined ? {} : { stack: shown(stack, hide) }),
    ...(cause === undefined ? {} : { cause: redact(cause, hide, depth + 1) }),
  };
}
