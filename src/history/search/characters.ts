/** What each character of a text is to somebody who looks for words. Looked up once for each. */

export const kindOf = {
  other: 1,
  /** A letter, a digit, or a mark that belongs to the letter before. */
  word: 2,
  /** A letter that begins a part of an identifier: `parseHttp`. */
  capital: 3,
  /** Of a script that puts no spaces between words. */
  dense: 4,
} as const;

const known = new Uint8Array(0x110000);

/** Where words follow one another without a space: Chinese, Japanese, Korean; Thai, Lao, Khmer, Burmese. */
const denseRanges: readonly (readonly [number, number])[] = [
  [0x0e01, 0x0e4e],
  [0x0e81, 0x0ece],
  [0x1000, 0x103f],
  [0x1100, 0x11ff],
  [0x1780, 0x17d3],
  [0x2e80, 0x2fdf],
  [0x3005, 0x3007],
  [0x3041, 0x30ff],
  [0x3105, 0x318e],
  [0x31a0, 0x31ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa960, 0xa97f],
  [0xac00, 0xd7ff],
  [0xf900, 0xfaff],
  [0xff66, 0xff9f],
  [0x20000, 0x3ffff],
];

/** @param code of one character, halves of pairs put together */
export function characterKind(code: number): number {
  const found = known[code];
  if (found !== undefined && found !== 0) return found;
  const kind = lookedUp(code);
  known[code] = kind;
  return kind;
}

function lookedUp(code: number): number {
  const character = String.fromCodePoint(code);
  if (!/[\p{L}\p{N}\p{M}]/u.test(character)) return kindOf.other;
  if (denseRanges.some(([first, last]) => code >= first && code <= last)) return kindOf.dense;
  return /[\p{Lu}\p{Lt}]/u.test(character) ? kindOf.capital : kindOf.word;
}

/** A word without what people leave out or write either way: case, accents, width. */
export function folded(word: string): string {
  if (!/[^\0-\x7f]/.test(word)) return word.toLowerCase();
  return word
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]|[\u0300-\u036f]/gu, "")
    .replaceAll("ß", "ss")
    .replaceAll("ς", "σ")
    .replaceAll("ı", "i")
    .normalize("NFC");
}
