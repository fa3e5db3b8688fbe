/** Deleting many sessions, page by page. */
import { withoutTombstones } from "./hidden.ts";
import type { SessionFilter, SessionRecord, Store } from "../store/contract.ts";

/**
 * Hands every session that `filter` matches to `remove`, and counts those that it says it removed. Tombstones stay:
 * without them a deleted session would come back.
 */
export async function deleteMatching(
  store: Store,
  filter: SessionFilter,
  remove: (record: SessionRecord) => Promise<boolean>,
): Promise<number> {
  const sessions = withoutTombstones(filter);
  let removed = 0;
  let cursor: string | undefined;
  do {
    // Keyset pages: deleting does not move what comes behind.
    const page = await store.list({ ...sessions, limit: 1000, ...(cursor !== undefined && { cursor }) });
    for (const record of page.items) if (await remove(record)) removed += 1;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return removed;
}
