/** What an index is asked for by a query and its filters, and what stands in an index for a message. */
import type { Findable, SearchRole } from "./entry-text.ts";
import type { Asked, Wanted, WantedWord } from "../../store/text-index.ts";
import type { Query, Term } from "./query.ts";
import { wordsOf } from "./words.ts";

/** Begins what is no word of the text; no word has it, because it is no letter. */
const mark = "\ue000";
/** Words that the index takes as they are: it tells them apart at what is no letter, and knows no case of these letters. */
const asItIs = /^(?:[A-Za-z]?[a-z0-9]{0,63}|[A-Z]{1,60}[0-9]{0,4})$/;

/**
 * What is indexed of a message: its words, its identifiers as one word each, and what filters ask for. Most texts are
 * plain for the most part, and only what is not is looked at here: this is where the time goes.
 */
export function indexedWords({ text, role, atMs }: Findable): string {
  let wholes = "";
  const apart = (piece: string): string => {
    const found = wordsOf(piece);
    for (const word of found.wholes) wholes += ` ${word.text}`;
    return found.row.map((word) => word.text).join(" ");
  };
  const words = /[\0\u001b]/.test(text)
    ? apart(text)
    : text.replace(/[A-Za-z0-9\u0080-\uffff]+/g, (piece) => (asItIs.test(piece) ? piece : apart(piece)));
  const day = dayOf(atMs);
  return `${words}${wholes} ${mark}${role} ${mark}${day.slice(0, 6)} ${mark}${day}`;
}

export interface MessageFilter {
  readonly role?: SearchRole;
  readonly sinceMs?: number;
  /** Before this instant. */
  readonly untilMs?: number;
}

type Match = Pick<Asked, "wanted" | "unwanted">;

export function matchOf({ all, none }: Query, { role, sinceMs, untilMs }: MessageFilter): Match {
  const wanted = all.map(termWords);
  if (role !== undefined) wanted.push(exactly(mark + role));
  const days = sinceMs === undefined ? [] : daysBetween(sinceMs, untilMs ?? Date.now() + dayMs);
  if (days.length > 0) wanted.push({ any: days.map((day) => exactly(mark + day)) });
  return { wanted: { all: wanted }, unwanted: none.flatMap(unwantedWords) };
}

/** An index need not know where words stand: that those of a phrase stand together is seen in the text. */
function termWords({ words, whole, isPrefix }: Term): Wanted {
  const last = words.length - 1;
  const all = words.map((word, at): WantedWord => ({ word, isPrefix: isPrefix && at === last }));
  if (whole === undefined || words.length === 1) return { all };
  return { any: [{ all }, { word: whole, isPrefix }] };
}

/** Only what surely is not meant: a message with the words of a phrase need not have the phrase. */
function unwantedWords({ words, whole, isPrefix }: Term): WantedWord[] {
  const [word] = words.length === 1 ? words : [whole];
  return word === undefined ? [] : [{ word, isPrefix }];
}

function exactly(word: string): Wanted {
  return { word, isPrefix: false };
}

const dayMs = 24 * 60 * 60 * 1000;
/** More months than these are no filter any more: what is found is looked at anyway. */
const mostMonths = 120;

/** Whole months, and the days of those that are no whole ones. By UTC, as they are indexed. */
export function daysBetween(sinceMs: number, untilMs: number): string[] {
  const [first, last] = [dayOf(sinceMs), dayOf(untilMs)];
  const found: string[] = [];
  const at = new Date(sinceMs);
  at.setUTCHours(0, 0, 0, 0);
  while (found.length <= mostMonths + 62) {
    const day = dayOf(at.getTime());
    if (day > last) return found;
    const monthEnd = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0));
    if (day.endsWith("01") && day >= first && dayOf(monthEnd.getTime()) <= last) {
      found.push(day.slice(0, 6));
      at.setTime(monthEnd.getTime() + dayMs);
    } else {
      found.push(day);
      at.setTime(at.getTime() + dayMs);
    }
  }
  return [];
}

function dayOf(atMs: number): string {
  const at = new Date(Math.min(Math.max(atMs, 0), 8e15));
  return at.toISOString().replace(/^\+?(\d+)-(\d\d)-(\d\d).*$/, "$1$2$3");
}
