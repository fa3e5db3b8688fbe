/** Helpers over the pages in which stores hand out sessions and entries. */
import type { SessionId } from "../base/ids.ts";
import type { Entry, SessionFilter, SessionRecord, Store } from "../store/contract.ts";

/** Every session that matches, newest activity first. Those that change meanwhile do not move what comes behind. */
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

/** All entries of a range whose size is known to be bounded. */
export async function collect(pages: AsyncIterable<readonly Entry[]>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of pages) entries.push(...page);
  return entries;
}

const backwardPage = 200;

/** Pages of a session from its end to its start; entries within a page run forward. */
export async function* pagesBackwards(
  store: Pick<Store, "read">,
  id: SessionId,
  throughSeq: number,
): AsyncGenerator<Entry[]> {
  for (let through = throughSeq; through > 0; through -= backwardPage) {
    yield await collect(store.read(id, { from: Math.max(1, through - backwardPage + 1), through }));
  }
}
