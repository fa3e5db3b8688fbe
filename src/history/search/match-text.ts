/** A query and its filters in the language of FTS5, and what stands in an index for a message. */
import type { Findable, SearchRole } from "./entry-text.ts";
import type { Query, Term } from "./query.ts";
import { wordsOf } from "./words.ts";

/** Begins what is no word of the text; no word has it, because it is no letter. */
const mark = "\ue000";
/** Stands between identifiers, so that no phrase goes from one to the next. */
const gap = "\ue001";

/** What is indexed of a message: its words, its identifiers as one word each, and what filters ask for. */
export function indexedWords({ text, role, atMs }: Findable): string {
  const { row, wholes } = wordsOf(text);
  let words = "";
  for (const word of row) words += `${word.text} `;
  for (const word of wholes) words += `${gap} ${word.text} `;
  const day = dayOf(atMs);
  return `${words}${mark}${role} ${mark}${day.slice(0, 6)} ${mark}${day}`;
}

export interface MessageFilter {
  readonly role?: SearchRole;
  readonly sinceMs?: number;
  /** Before this instant. */
  readonly untilMs?: number;
}

export function matchText({ all, none }: Query, { role, sinceMs, untilMs }: MessageFilter): string {
  const wanted = all.map(termText);
  if (role !== undefined) wanted.push(quoted(mark + role));
  const days = sinceMs === undefined ? [] : daysBetween(sinceMs, untilMs ?? Date.now() + dayMs);
  if (days.length > 0) wanted.push(`(${days.map((day) => quoted(mark + day)).join(" OR ")})`);
  const unwanted = none.map((term) => ` NOT ${termText(term)}`).join("");
  return `(${wanted.join(" AND ")})${unwanted}`;
}

function termText({ words, whole, isPrefix }: Term): string {
  const star = isPrefix ? " *" : "";
  const phrase = `${quoted(words.join(" "))}${star}`;
  return words.length > 1 && whole !== undefined ? `(${phrase} OR ${quoted(whole)}${star})` : phrase;
}

/** No word holds a quote. */
function quoted(words: string): string {
  return `"${words}"`;
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
