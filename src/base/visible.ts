/** Text from outside, made safe to show: what could steer a terminal or turn the direction of writing is spelled out. */

/** Control characters except newlines and tabs, other separators of lines, and marks of direction. */
const unseen = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** Of these, a JSON text has the first 32 escaped, or between its values. */
const unseenInJson = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const halves = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Control characters, what turns the direction of writing, and halves of characters are shown as JSON writes them. */
export function visible(text: string): string {
  return text.length > pieceChars ? inPieces(text, visiblePiece) : visiblePiece(text);
}

/** A replacement keeps all of its matches in memory: in a long text, those of one piece at a time. */
const pieceChars = 1 << 16;

/** Piece by piece, none of which ends within a character or an end of a line. */
export function inPieces(text: string, change: (piece: string) => string): string {
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    let end = Math.min(text.length, from + pieceChars);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && (last === 0x0d || (last >= 0xd800 && last < 0xdc00))) end -= 1;
    if (end === from) end = Math.min(text.length, from + 2);
    pieces.push(change(text.slice(from, end)));
    from = end;
  }
  return pieces.join("");
}

function visiblePiece(text: string): string {
  const plain = text.includes("\r") ? text.replaceAll("\r\n", "\n") : text;
  const seen = plain.replace(unseen, escaped);
  return seen.isWellFormed() ? seen : seen.replace(halves, escaped);
}

/**
 * JSON that a terminal may show: what it could obey stands only within strings there, where it may be written as an escape,
 * and so whoever parses it reads the same.
 */
export function visibleJson(text: string): string {
  return text.replace(unseenInJson, escaped);
}

/** The same on one line. */
export function visibleLine(text: string): string {
  return visible(text.replace(/[\r\n\t]+/g, " "));
}

/** The beginning of what is quoted in a message: enough to know it by. */
export function briefly(text: string, most = 200): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
