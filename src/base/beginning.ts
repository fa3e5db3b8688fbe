/** How a text begins, to be kept: V8 makes a slice of a text that keeps all of it in memory, however short the slice is. */

/** The first characters of a text, as a text of its own where that is not all of it; never half a character. */
export function beginningOf(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return ownText(text.slice(0, splitsPair(text, maxChars) ? maxChars - 1 : maxChars));
}

/** The same text, with nothing of what it was cut from. */
export function ownText(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}

function splitsPair(text: string, at: number): boolean {
  return isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));
}

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000;
