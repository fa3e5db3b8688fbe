/** What stands in an index for a message. Each text is gone through once; this is where the time of indexing goes. */
import { addLetter, CommonPairs } from "./common-pairs.ts";
import type { Findable } from "./entry-text.ts";
import { wordsOf } from "./words.ts";

/** Begins what is no word of the text; no word has it, because it is no letter. */
const mark = "\ue000";
/** Words that the index takes as they are: it tells them apart at what is no letter, and knows no case of these letters. */
const asItIs = /^(?:[A-Za-z]?[a-z0-9]{0,63}|[A-Z]{1,60}[0-9]{0,4})$/;
const longestAsItIs = 60;

/** A word that stands for what a filter asks for. */
export function markOf(what: string): string {
  return mark + what;
}

/** Its words, its identifiers as one word each, pairs of common words, and what filters ask for. */
export function indexedWords({ text, role, atMs }: Findable): string {
  const { words, wholes, pairs } = /[\0\u001b]/.test(text) ? takenApart(text) : wordsIn(text);
  const day = dayOf(atMs);
  return `${words}${wholes}${pairs} ${mark}${role} ${mark}${day.slice(0, 6)} ${mark}${day}`;
}

interface Indexed {
  readonly words: string;
  readonly wholes: string;
  readonly pairs: string;
}

function takenApart(text: string): Indexed {
  const { row, wholes } = wordsOf(text);
  const pairs = new CommonPairs();
  pairs.addAll(row);
  return {
    words: row.map((word) => word.text).join(" "),
    wholes: wholes.map((word) => ` ${word.text}`).join(""),
    pairs: pairs.found,
  };
}

/** Most texts are plain for the most part: only what is not is changed. */
function wordsIn(text: string): Indexed {
  const pairs = new CommonPairs();
  const { length } = text;
  let [words, wholes] = ["", ""];
  /** The text up to here is in `words`. */
  let behind = 0;
  for (let at = 0; at < length; at += 1) {
    let kind = kindAt(text, at);
    if (kind === apart) continue;
    const from = at;
    // A capital that begins a word makes it no other.
    let [shape, key] = [kind === capital ? small : kind, 0];
    for (; kind !== apart; kind = at < length ? kindAt(text, at) : apart) {
      if (at > from) shape |= kind;
      key = addLetter(key, text.charCodeAt(at));
      at += 1;
    }
    if ((shape === small && at - from <= longestAsItIs) || asItIs.test(text.slice(from, at))) pairs.add(key);
    else {
      const found = wordsOf(text.slice(from, at));
      words += text.slice(behind, from) + found.row.map((word) => word.text).join(" ");
      behind = at;
      for (const word of found.wholes) wholes += ` ${word.text}`;
      pairs.addAll(found.row);
    }
  }
  return { words: behind === 0 ? text : words + text.slice(behind), wholes, pairs: pairs.found };
}

/** What a character is to the index: what stands between words, or of which kind of word it is. */
const [apart, small, capital, other] = [0, 1, 2, 4];
const kinds = Uint8Array.from({ length: 0x80 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[a-z0-9]/.test(character) ? small : /[A-Z]/.test(character) ? capital : apart;
});

function kindAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 0x80 ? (kinds[code] ?? apart) : other;
}

export const dayMs = 24 * 60 * 60 * 1000;

/** Messages follow one another. */
let lastDay = { number: NaN, text: "" };

/** As `20260131`, by UTC. */
export function dayOf(atMs: number): string {
  const number = Math.floor(Math.min(Math.max(atMs, 0), 8e15) / dayMs);
  if (number !== lastDay.number) {
    const text = new Date(number * dayMs).toISOString().replace(/^\+?(\d+)-(\d\d)-(\d\d).*$/, "$1$2$3");
    lastDay = { number, text };
  }
  return lastDay.text;
}
