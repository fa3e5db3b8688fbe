/** What an index is asked for by a query and its filters. */
import type { SearchRole } from "./entry-text.ts";
import type { Asked, Wanted, WantedWord } from "../../store/text-index.ts";
import { pairsOf } from "./common-pairs.ts";
import { dayMs, dayOf, markOf } from "./indexed-words.ts";
import type { Query, Term } from "./query.ts";

export interface MessageFilter {
  readonly role?: SearchRole;
  readonly sinceMs?: number;
  /** Before this instant. */
  readonly untilMs?: number;
}

type Match = Pick<Asked, "wanted" | "unwanted">;

export function matchOf({ all, none }: Query, { role, sinceMs, untilMs }: MessageFilter): Match {
  const wanted = all.map(termWords);
  if (role !== undefined) wanted.push(exactly(markOf(role)));
  const days = sinceMs === undefined ? [] : daysBetween(sinceMs, untilMs ?? Date.now() + dayMs);
  if (days.length > 0) wanted.push({ any: days.map((day) => exactly(markOf(day))) });
  return { wanted: { all: wanted }, unwanted: none.flatMap(unwantedWords) };
}

/** An index need not know where words stand, but for common ones: that a phrase stands together is seen in the text. */
function termWords({ words, whole, isPrefix }: Term): Wanted {
  const last = words.length - 1;
  const all = words.map((word, at): WantedWord => ({ word, isPrefix: isPrefix && at === last }));
  const together = pairsOf(isPrefix ? words.slice(0, last) : words);
  for (const word of together) all.push({ word, isPrefix: false });
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
