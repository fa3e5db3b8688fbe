/** Helpers over the pages in which stores hand out sessions and entries. */
import type { SessionId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { Entry, NewEntry, SessionFilter, SessionRecord, Store, Unreadable } from "../store/contract.ts";
import { cannotBeRead } from "../base/unreadable.ts";
import { countingIn, type Stretch } from "./stretches.ts";

/** Told of a session that is passed over, because it cannot be read. */
export type PassOver = (found: Unreadable) => void;

/**
 * Every session that matches, newest activity first. Sessions that change meanwhile do not move what comes after.
 * Errors: `DECRYPT_FAILED` or `STORE_CORRUPT` for one that cannot be read, unless somebody is told of it.
 */
export async function* everySession(
  store: Pick<Store, "list">,
  filter: SessionFilter = {},
  passOver: PassOver = refuse,
): AsyncGenerator<SessionRecord> {
  let cursor: string | undefined;
  do {
    const page = await store.list({ ...filter, limit: 1000, ...(cursor !== undefined && { cursor }) });
    for (const each of page.unreadable ?? []) passOver(each);
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

/** In the log, once for each session. */
export function loggedOnce(log: Logger): PassOver {
  const told = new Set<SessionId>();
  return ({ id, code }) => {
    if (told.has(id)) return;
    if (told.size < mostTold) told.add(id);
    log.warn({ sessionId: id, code }, "session left out: it cannot be read; see acp-sidecar verify");
  };
}

/** More are told again and again. */
const mostTold = 10_000;

function refuse(found: Unreadable): never {
  throw cannotBeRead(found);
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
 * @param wished how many entries the next page is to have, by whoever knows what is still missing
 */
export async function* pagesBackwards(
  store: Pick<Store, "read">,
  id: SessionId,
  throughSeq: number,
  superseded: readonly Stretch[] = [],
  wished: (last: number) => number = (last) => last * fastestGrowth,
): AsyncGenerator<Entry[]> {
  let length = Math.min(Math.max(firstPage, wished(0)), longestPage);
  for (const { from: first, through: last } of [
    ...countingIn(superseded, { through: throughSeq }),
  ].reverse()) {
    for (let through = last; through >= first;) {
      const from = Math.max(first, through - length + 1);
      const page = await collect(store.read(id, { from, through }));
      yield page;
      through = from - 1;
      const fitting = Math.ceil((length * pageChars) / (charsIn(page) + 1));
      length = Math.min(fitting, Math.max(firstPage, wished(length)), longestPage);
    }
  }
}
