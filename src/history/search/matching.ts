/** Whether a text is what a query looks for, and where: the text decides, an index only proposes. */
import type { Query, Term } from "./query.ts";
import { wordsOf, type Word, type Words } from "./words.ts";

/** A stretch of the text. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Where it stands what is looked for, in order and apart from one another; undefined if the text does not match. */
export function matchesIn(text: string, { all, none }: Query): readonly Stretch[] | undefined {
  const words = wordsOf(text);
  for (const term of none) if (stretchesOf(words, term, 1).length > 0) return undefined;
  const found: Stretch[] = [];
  for (const term of all) {
    const stretches = stretchesOf(words, term, mostMarks);
    if (stretches.length === 0) return undefined;
    for (const stretch of stretches) found.push(stretch);
  }
  return apart(found);
}

/** Of a text that is so long an index need not know all words. */
const longText = 100_000;

/** Whether an index that knows not where words stand may propose a text, although it does not match. */
export function isPlausible(text: string, { all, none }: Query): boolean {
  if (text.length >= longText) return true;
  const words = wordsOf(text);
  const has = (term: Term) => stretchesOf(words, term, 1).length > 0;
  const hasAll = ({ words: each, isPrefix }: Term) =>
    each.every((word, at) => has({ words: [word], isPrefix: isPrefix && at === each.length - 1 }));
  return (
    all.every((term) => has(term) || hasAll(term)) &&
    !none.some((term) => term.words.length === 1 && has(term))
  );
}

/** Nobody looks at more marks in a snippet. */
const mostMarks = 200;

function stretchesOf({ row, wholes }: Words, term: Term, most: number): Stretch[] {
  const found: Stretch[] = [];
  for (let at = 0; at + term.words.length <= row.length && found.length < most; at += 1) {
    if (!standsAt(row, at, term)) continue;
    const last = at + term.words.length - 1;
    found.push({ from: row[at]?.from ?? 0, to: row[last]?.to ?? 0 });
  }
  if (term.whole === undefined) return found;
  const known = term.words.length > 1 ? [row, wholes] : [wholes];
  for (const words of known)
    for (const word of words) {
      if (found.length >= most) return found;
      if (isSame(word, term.whole, term.isPrefix)) found.push({ from: word.from, to: word.to });
    }
  return found;
}

function standsAt(row: readonly Word[], at: number, { words, isPrefix }: Term): boolean {
  for (let i = 0; i < words.length; i += 1) {
    const mayGoOn = isPrefix && i === words.length - 1;
    if (!isSame(row[at + i], words[i] ?? "", mayGoOn)) return false;
  }
  return true;
}

function isSame(word: Word | undefined, wanted: string, mayGoOn: boolean): boolean {
  if (word === undefined) return false;
  return mayGoOn ? word.text.startsWith(wanted) : word.text === wanted;
}

function apart(stretches: Stretch[]): Stretch[] {
  stretches.sort((a, b) => a.from - b.from || a.to - b.to);
  const joined: Stretch[] = [];
  for (const stretch of stretches) {
    const last = joined.at(-1);
    if (last === undefined || stretch.from > last.to) joined.push(stretch);
    else if (stretch.to > last.to) joined[joined.length - 1] = { from: last.from, to: stretch.to };
  }
  return joined;
}
