/**
 * The words of a text as they are looked for: case and accents do not matter, an identifier is the row of its parts, and
 * where words have no spaces between them each two characters are one. In one pass, whatever the text holds.
 */
import { characterKind, folded, kindOf } from "./characters.ts";

/** A word and where it stands in the text. */
export interface Word {
  readonly text: string;
  readonly from: number;
  /** Behind its last character. */
  readonly to: number;
}

/** The words of a text, in order; and beside them identifiers that consist of several, each as one: `userId` as `userid`. */
export interface Words {
  readonly row: readonly Word[];
  readonly wholes: readonly Word[];
}

/** What is longer is no word that anybody types: it is not taken apart, and known by its beginning. */
export const longestWord = 64;
/** A message is found by what stands in its first million characters. */
export const longestText = 1 << 20;

/** @param isQuery what is looked for ends where the text goes on: the last of its dense characters stands for no word */
export function wordsOf(text: string, isQuery = false): Words {
  const found: Found = { row: [], wholes: [] };
  const end = Math.min(text.length, longestText);
  let from = 0;
  let run = 0;
  for (let at = 0; at < end;) {
    const code = text.codePointAt(at) ?? 0;
    const kind = characterKind(code);
    const next = kind === kindOf.other ? 0 : kind === kindOf.dense ? 2 : 1;
    if (next !== run) {
      if (run !== 0) addRun(found, text, { from, to: at, isDense: run === 2, isLast: false });
      [from, run] = [at, next];
    }
    at = code === escape ? behindSequence(text, at) : at + (code > 0xffff ? 2 : 1);
  }
  if (run !== 0) addRun(found, text, { from, to: end, isDense: run === 2, isLast: isQuery });
  return found;
}

const escape = 0x1b;

/** What colours a terminal is no word: output holds `ESC [ 3 1 m` before what is red. */
function behindSequence(text: string, from: number): number {
  if (text.charAt(from + 1) !== "[") return from + 1;
  for (let at = from + 2; at < from + 32; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x40 && code <= 0x7e) return at + 1;
    if (!(code >= 0x20 && code <= 0x3f)) return at;
  }
  return from + 1;
}

interface Found {
  readonly row: Word[];
  readonly wholes: Word[];
}

interface Run {
  readonly from: number;
  readonly to: number;
  readonly isDense: boolean;
  readonly isLast: boolean;
}

function addRun(found: Found, text: string, run: Run): void {
  if (run.isDense) addPairs(found, text, run);
  else addWord(found, text, run);
}

function addWord({ row, wholes }: Found, text: string, { from, to }: Run): void {
  const run = text.slice(from, to);
  if (run.length > longestWord) return add(row, folded(run.slice(0, longestWord)), from, to);
  let begin = from;
  for (let at = from + 1; at < to; at += 1) {
    if (!beginsPart(text, at, to)) continue;
    add(row, folded(text.slice(begin, at)), begin, at);
    begin = at;
  }
  add(row, folded(text.slice(begin, to)), begin, to);
  if (begin > from) add(wholes, folded(run), from, to);
}

/** `parse|HTTP|Header`: a capital behind what is none, or the last of several before what is none. */
function beginsPart(text: string, at: number, to: number): boolean {
  if (characterKind(text.charCodeAt(at)) !== kindOf.capital) return false;
  if (characterKind(text.charCodeAt(at - 1)) !== kindOf.capital) return true;
  return at + 1 < to && isSmall(text.charCodeAt(at + 1));
}

/** Digits follow what they stand behind: `HTTP2`. */
function isSmall(code: number): boolean {
  return characterKind(code) === kindOf.word && !(code >= 0x30 && code <= 0x39);
}

/** Each two characters, and the last one alone so that it is found, too. */
function addPairs({ row }: Found, text: string, { from, to, isLast }: Run): void {
  const run = text.slice(from, to);
  const plain = folded(run);
  const characters = [...plain];
  // Where folding has joined characters, each of them stands where the run does.
  const isEven = plain.length === run.length;
  let at = 0;
  for (const [i, character] of characters.entries()) {
    const next = characters[i + 1];
    const begin = isEven ? from + at : from;
    const end = isEven ? begin + character.length + (next?.length ?? 0) : to;
    at += character.length;
    if (next !== undefined) add(row, character + next, begin, end);
    else if (!isLast || characters.length === 1) add(row, character, begin, end);
  }
}

function add(words: Word[], text: string, from: number, to: number): void {
  if (text !== "") words.push({ text, from, to });
}
