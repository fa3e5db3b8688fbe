/** What somebody looks for: words (all of them), "a phrase", the beginning of a word*, -not this. */
import { SidecarError } from "../../base/errors.ts";
import { characterKind, kindOf } from "./characters.ts";
import { wordsOf } from "./words.ts";

/** Words that stand one behind the other. */
export interface Term {
  /** At least one. */
  readonly words: readonly string[];
  /** The identifier that all of them are, written as one: what it is in small letters matches, too. */
  readonly whole?: string;
  /** The last of them may go on. */
  readonly isPrefix: boolean;
}

export interface Query {
  /** At least one. */
  readonly all: readonly Term[];
  readonly none: readonly Term[];
}

const [longestQuery, mostWords] = [1000, 40];
/** Shorter ones begin half of all words. */
const shortestPrefix = 2;

/** Errors: `INVALID_QUERY`. */
export function parseQuery(text: string): Query {
  if (text.length > longestQuery)
    throw invalid(`it has ${text.length} characters; at most ${longestQuery} are allowed`);
  const all: Term[] = [];
  const none: Term[] = [];
  for (const { isNot, said, isPrefix } of partsOf(text)) {
    const term = termOf(said, isPrefix);
    if (term !== undefined) (isNot ? none : all).push(term);
  }
  if (all.length === 0) {
    throw invalid(
      none.length > 0
        ? "it says only what must not be there; add a word that must"
        : 'there is no word in it; allowed: words, "a phrase", begin*, -not',
    );
  }
  const words = [...all, ...none].reduce((sum, term) => sum + term.words.length, 0);
  if (words > mostWords) throw invalid(`it has ${words} words; at most ${mostWords} are allowed`);
  return { all, none };
}

interface Part {
  readonly isNot: boolean;
  readonly said: string;
  readonly isPrefix: boolean;
}

function* partsOf(text: string): Generator<Part> {
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    const isNot = text.charAt(at) === "-";
    const from = isNot ? at + 1 : at;
    if (text.charAt(from) === '"') {
      const close = text.indexOf('"', from + 1);
      if (close < 0) throw invalid('a phrase begins and does not end; close it with "');
      yield { isNot, said: text.slice(from + 1, close), isPrefix: false };
      at = close + 1;
    } else {
      let end = from;
      while (end < text.length && !/[\s"]/.test(text.charAt(end))) end += 1;
      const said = text.slice(from, end);
      yield { isNot, said, isPrefix: said.endsWith("*") };
      at = Math.max(end, from);
    }
  }
}

/** Undefined for what has no letter and no digit: it stands in no index. */
function termOf(said: string, isPrefix: boolean): Term | undefined {
  const { row, wholes } = wordsOf(said, true);
  const last = row.at(-1);
  if (last === undefined) {
    if (isPrefix) throw invalid("a * stands alone; write the beginning of a word before it");
    return undefined;
  }
  const isOneDense = isDense(last.text) && [...last.text].length === 1;
  if (isPrefix && row.length === 1 && !isDense(last.text) && last.text.length < shortestPrefix)
    throw invalid(`before a * stand at least ${shortestPrefix} characters`);
  const [whole] = wholes;
  const isWhole = whole !== undefined && whole.from === row[0]?.from && whole.to === last.to;
  return {
    words: row.map((word) => word.text),
    ...(row.length === 1 ? { whole: last.text } : isWhole && { whole: whole.text }),
    // One character of Chinese is the beginning of each pair that it begins.
    isPrefix: isPrefix || isOneDense,
  };
}

function isDense(word: string): boolean {
  return characterKind(word.codePointAt(0) ?? 0) === kindOf.dense;
}

function invalid(why: string): SidecarError {
  return new SidecarError("INVALID_QUERY", `The search cannot be understood: ${why}`);
}
