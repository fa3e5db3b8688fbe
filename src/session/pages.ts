/** Helpers over the pages in which stores hand out sessions and entries. */
import type { SessionId } from "../base/ids.ts";
import type { Entry, NewEntry, SessionFilter, SessionRecord, Store } from "../store/contract.ts";
import { countingIn, type Stretch } from "./stretches.ts";

/** Every session that matches, newest activity first. Sessions that change meanwhile do not move what comes after. */
export async function* everySession(
  store: Pick<Store, "list">,
  filter: SessionFilter = {},
): AsyncGenerator<SessionRecord> {
  let cursor: string | undefined;
  do {
    const page = await store.list({ ...filter, limit: 1000, ...(cursor !== undefined && { cursor }) });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

export function charsIn(entries: readonly NewEntry[]): number {
  return entries.reduce((sum, { data }) => sum + data.length, 0);
}

/** All entries of a range whose size is known to be bounded. */
export async function collect(pages: AsyncIterable<readonly Entry[]>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of pages) for (const entry of page) entries.push(entry);
  return entries;
}

/** Pages that are read backwards: the first has so many entries, later ones as many as fit, and at most so many more. */
const [firstPage, longestPage, fastestGrowth] = [20, 5000, 8];
const pageChars = 1 << 20;

/**
 * Pages of a session from its end to its start; entries within a page run forward. Where entries are small pages are
 * long, because every read costs; where they are large they are short, because all of a page is held.
 * @param superseded what is passed over
 */
export async function* pagesBackwards(
  store: Pick<Store, "read">,
  id: SessionId,
  throughSeq: number,
  superseded: readonly Stretch[] = [],
): AsyncGenerator<Entry[]> {
  let length = firstPage;
  for (const { from: first, through: last } of [
    ...countingIn(superseded, { through: throughSeq }),
  ].reverse()) {
    for (let through = last; through >= first;) {
      const from = Math.max(first, through - length + 1);
      const page = await collect(store.read(id, { from, through }));
      yield page;
      through = from - 1;
      const fitting = Math.ceil((length * pageChars) / (charsIn(page) + 1));
      length = Math.min(fitting, length * fastestGrowth, longestPage);
    }
  }
}
