/**
 * JSON texts read without being parsed: where parts begin and end, each kept to the letter. Linear in the text and
 * without recursion, whatever it holds. The texts must be JSON.
 */

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The place of the closing quote of the string whose first character is at `from`; -1 if there is none. */
export function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = at;
    while (escapes > from && text.charCodeAt(escapes - 1) === backslash) escapes -= 1;
    if ((at - escapes) % 2 === 0) return at;
  }
  return -1;
}

/** The members of an object, each value as its text. Of two with one name the last counts, as for JSON.parse. */
export function membersOf(object: string): Map<string, string> {
  const members = new Map<string, string>();
  eachMember(object, (name, value) => {
    members.set(name, value);
    return false;
  });
  return members;
}

/**
 * Visits members one by one until `visit` returns true: who looks for an early one need not read on. Returns the place
 * where it stopped: behind the last member, at the closing brace.
 */
export function eachMember(object: string, visit: (name: string, value: string) => boolean): number {
  let at = skipSpace(object, skipSpace(object, 0) + 1);
  while (object.charCodeAt(at) === quote) {
    const nameEnd = endOfString(object, at + 1);
    const colon = object.indexOf(":", nameEnd);
    if (nameEnd < 0 || colon < 0) return at;
    const plain = object.slice(at + 1, nameEnd);
    const name = plain.includes("\\") ? (JSON.parse(`"${plain}"`) as string) : plain;
    const from = skipSpace(object, colon + 1);
    const to = endOfValue(object, from);
    if (visit(name, object.slice(from, to))) return to;
    at = skipSpace(object, to);
    if (object.charCodeAt(at) !== comma) return at;
    at = skipSpace(object, at + 1);
  }
  return at;
}

/** The items of an array, each as its text. */
export function itemsOf(array: string): string[] {
  const items: string[] = [];
  let at = skipSpace(array, skipSpace(array, 0) + 1);
  while (at < array.length && array.charCodeAt(at) !== closeBracket) {
    const to = endOfValue(array, at);
    items.push(array.slice(at, to));
    at = skipSpace(array, skipSpace(array, to) + 1);
  }
  return items;
}

/** What needs no escape: nearly every name, written in half the time. */
const isWord = /^\w*$/;

export function objectText(members: ReadonlyMap<string, string>): string {
  const texts: string[] = [];
  for (const [name, value] of members)
    texts.push(isWord.test(name) ? `"${name}":${value}` : `${JSON.stringify(name)}:${value}`);
  return `{${texts.join(",")}}`;
}

/** The text of plain JSON, as JSON.stringify gives it, however deeply it is nested. */
export function jsonTextOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return deepTextOf(value);
  }
}

/** Without recursion: what is still to be written stands on a stack, the next of it last. */
function deepTextOf(value: unknown): string {
  const texts: string[] = [];
  const open: ({ readonly value: unknown } | string)[] = [{ value }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "string") texts.push(next);
    else if (typeof next.value !== "object" || next.value === null)
      texts.push(JSON.stringify(next.value) ?? "null");
    else {
      const isList = Array.isArray(next.value);
      const members = Object.entries(next.value).filter(([, each]) => isList || each !== undefined);
      texts.push(isList ? "[" : "{");
      open.push(isList ? "]" : "}");
      for (const [at, [name, each]] of [...members.entries()].reverse()) {
        open.push({ value: each });
        if (!isList) open.push(`${JSON.stringify(name)}:`);
        if (at > 0) open.push(",");
      }
    }
  }
  return texts.join("");
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

/** The place after the last character of the value that begins at `from`. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === quote) {
      const end = endOfString(text, at + 1);
      if (end < 0) break;
      if (depth === 0) return end + 1;
      at = end;
    } else if (char === openBrace || char === openBracket) {
      depth += 1;
    } else if (char === closeBrace || char === closeBracket) {
      // At depth 0 it closes what the value stands in.
      if (depth <= 1) return depth === 0 ? at : at + 1;
      depth -= 1;
    } else if (depth === 0 && (char === comma || char <= 0x20)) {
      return at;
    }
  }
  return text.length;
}
