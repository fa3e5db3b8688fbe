/** Addresses within a text. Only those of the web are followed; each character is looked at a bounded number of times. */

export interface Found {
  readonly href: string;
  readonly isWeb: boolean;
  /** The first character after it. */
  readonly end: number;
}

const maxChars = 2000;

/** `(address)` or `(address "title")`, right here. */
export function destinationAt(text: string, at: number): Found | undefined {
  if (text[at] !== "(") return undefined;
  let [end, depth] = [at + 1, 0];
  for (; end < text.length && end - at < maxChars; end += 1) {
    const character = text[end] ?? "";
    if (/\s/.test(character) || (character === ")" && depth === 0)) break;
    // One pair of brackets may stand in an address, so that nothing is read again and again.
    if (character === "(" && ++depth > 1) return undefined;
    if (character === ")") depth -= 1;
  }
  const href = text.slice(at + 1, end).replace(/^<|>$/g, "");
  const closed = closeOf(text, end);
  if (closed === undefined || href === "") return undefined;
  const web = webAddress(href);
  return { href: web ?? href, isWeb: web !== undefined, end: closed };
}

/** Behind the address, with a title or without: where the brackets end. */
function closeOf(text: string, from: number): number | undefined {
  if (text[from] === ")") return from + 1;
  const [title] =
    /^\s{1,9}(?:"[^"\n()]{0,200}"|'[^'\n()]{0,200}')?\s{0,9}\)/.exec(text.slice(from, from + 250)) ?? [];
  return title === undefined ? undefined : from + title.length;
}

/** `<https://…>`, right here. */
export function addressAt(text: string, at: number): Found | undefined {
  if (!/^<https?:/i.test(text.slice(at, at + 8))) return undefined;
  const [inner] = /^[^\s<>]{1,2000}(?=>)/.exec(text.slice(at + 1, at + 1 + maxChars + 1)) ?? [];
  const href = inner === undefined ? undefined : webAddress(inner);
  return href === undefined ? undefined : { href, isWeb: true, end: at + 2 + (inner?.length ?? 0) };
}

/** `https://…` in the middle of a text, without what ends a sentence. */
export function bareAddressAt(text: string, at: number): Found | undefined {
  const piece = text.slice(at, at + maxChars);
  let [found = ""] = /^https?:\/\/[^\s<>"`\\^{}|]+/i.exec(piece) ?? [];
  const hasBracket = found.includes("(");
  while (found !== "" && endsSentence(found, hasBracket)) found = found.slice(0, -1);
  const href = webAddress(found);
  return href === undefined ? undefined : { href, isWeb: true, end: at + found.length };
}

function endsSentence(address: string, hasBracket: boolean): boolean {
  const last = address.at(-1) ?? "";
  if (last === ")") return !hasBracket;
  return ".,:;!?'*_~]".includes(last);
}

/** Undefined for everything that is not of the web: `javascript:`, `data:`, `file:`, a path. */
export function webAddress(address: string): string | undefined {
  if (!/^https?:\/\/[^\s/?#]/i.test(address) || address.length > maxChars) return undefined;
  try {
    const { protocol, href, username, password } = new URL(address);
    // `https://bank.example@evil.example` is not what it seems to be.
    const isPlain = username === "" && password === "";
    return isPlain && (protocol === "https:" || protocol === "http:") ? href : undefined;
  } catch {
    return undefined;
  }
}
