/**
 * What looks like a secret in any text: keys and tokens by their form, values by a name that says so, private keys,
 * passwords in URLs. Linear in the text, whatever it holds. It may take out too much, and it cannot know everything.
 */
import { hidden, redactUrls } from "./redact.ts";
import { isSecretName, tokenShape } from "./secret-values.ts";

/** A text without its secrets, and in how many places something was taken out. */
interface Cleaned {
  readonly text: string;
  readonly places: number;
}

const schemes = /\b(bearer|basic)[ \t]{1,3}[A-Za-z0-9+/_.~=-]{12,}/gi;
const cookies = /^([ \t]{0,20}(?:set-)?cookie:)[^\n]{4,}/gim;
/** `NAME=value`, `name: value`, `"name": "value"`; whether the name is that of a secret is asked afterwards. */
const named =
  /(?<![\w.-])([A-Za-z_][\w.-]{0,80}["']?[ \t]{0,3}[:=][ \t]{0,3})("[^"\n]+"|'[^'\n]+'|[^\s"'`,;(){}<>[\]]+)/g;
const keyBegins = "-----BEGIN ";
const keyEnds = "-----END ";

export function withoutSecretShapes(text: string): Cleaned {
  let places = 0;
  const found = (put: string) => {
    places += 1;
    return put;
  };
  let safe = text.includes(keyBegins) ? withoutKeys(text, found) : text;
  safe = safe.replace(tokenShape, (token) => (/\d/.test(token) ? found(hidden) : token));
  safe = safe.replace(schemes, (_, scheme: string) => found(`${scheme} ${hidden}`));
  if (/cookie:/i.test(safe)) safe = safe.replace(cookies, (_, name: string) => found(`${name} ${hidden}`));
  safe = safe.replace(named, (all, name: string, value: string) =>
    isSecretValue(name, value) ? found(name + quoted(value)) : all,
  );
  const withoutUrls = safe.includes("@") ? redactUrls(safe) : safe;
  if (withoutUrls !== safe) places += Math.max(1, stars(withoutUrls) - stars(safe));
  return { text: withoutUrls, places };
}

/** Code says `token: string` and `password = ask()`: only a value in quotes, of a variable, or with digits counts. */
function isSecretValue(nameAndSign: string, value: string): boolean {
  const name = /^[\w.-]+/.exec(nameAndSign)?.[0] ?? "";
  if (!isSecretName(name) || value.includes(hidden)) return false;
  if (/^(?:"[^"]*"|'[^']*')$/.test(value)) return value.length >= 6 && !/^.(?:\$\{|<)/.test(value);
  if (/^[\d.]+$|^(?:true|false|null|none|undefined)$|^\$/i.test(value)) return false;
  if (/^[A-Z][A-Z0-9_]*=$/.test(nameAndSign)) return value.length >= 4;
  return value.length >= 8 && /\d/.test(value) && /[A-Za-z]/.test(value);
}

function quoted(value: string): string {
  const quote = value.startsWith('"') || value.startsWith("'") ? value.charAt(0) : "";
  return quote + hidden + quote;
}

/** From the line that begins a private key to the one that ends it, or to the end of the text. */
function withoutKeys(text: string, found: (put: string) => string): string {
  let safe = "";
  let done = 0;
  for (let at = text.indexOf(keyBegins); at >= 0; at = text.indexOf(keyBegins, Math.max(done, at + 1))) {
    if (!/^[A-Z ]{0,40}PRIVATE KEY/.test(text.slice(at + keyBegins.length, at + 70))) continue;
    const end = text.indexOf(keyEnds, at);
    const close = end < 0 ? -1 : text.indexOf("-----", end + keyEnds.length);
    safe += text.slice(done, at) + found(hidden);
    done = close < 0 ? text.length : close + 5;
    if (close < 0) break;
  }
  return safe + text.slice(done);
}

function stars(text: string): number {
  return text.split("***").length - 1;
}
