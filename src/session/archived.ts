/**
 * The archive: sessions that are out of the way. No list has them unless it is asked for them, their final entries take
 * less room, and opening one brings it back. The mark stands in the metadata, as `folders.ts` has its own there.
 */
import type { SessionId } from "../base/ids.ts";
import type { Metadata, Page, SessionFilter, SessionQuery, SessionRecord, Store } from "../store/contract.ts";
import { encodeCursor, pageSize } from "../store/query.ts";
import { unreadableIn } from "../base/unreadable.ts";
import { holdBriefly } from "./brief-hold.ts";
import type { Parts } from "./creation.ts";
import { countIn } from "./folders.ts";
import { countVisible, hiddenAs, visibleOf } from "./hidden.ts";
import type { OpenedJournal, Taking } from "./journal.ts";
import { tellUpdate } from "./telling.ts";

/** Which sessions a list has: those that are not archived, unless told; both; or the archived ones. */
export type Archived = "exclude" | "include" | "only";

export interface ListQuery extends SessionQuery {
  readonly archived?: Archived;
  /** What the store cannot look for: must be pure. A page may then be shorter than asked for, with more pages after it. */
  readonly where?: (record: SessionRecord) => boolean;
}

export interface CountFilter extends SessionFilter {
  readonly archived?: Archived;
}

const key = "acp-sidecar.archived";
const mark: Metadata = { [key]: true };

export function isArchived({ metadata }: { readonly metadata: Metadata }): boolean {
  return metadata[key] === true;
}

/** The metadata of the session when it is back. */
export function broughtBack({ [key]: _, ...metadata }: Metadata): Metadata {
  return metadata;
}

/** A page of sessions. Others that are not wanted are passed over, as far as a list is gone through for one page. */
export async function listShown(
  store: Store,
  { archived = "exclude", where, ...query }: ListQuery,
): Promise<Page<SessionRecord>> {
  const asked = archived === "only" ? { ...query, metadata: { ...query.metadata, ...mark } } : query;
  const isWanted = (record: SessionRecord) =>
    (archived !== "exclude" || !isArchived(record)) && (where === undefined || where(record));
  const first = await visibleOf(store, asked);
  const items = first.items.filter(isWanted);
  if (items.length === first.items.length) return first;
  return filled(store, asked, { ...first, items }, isWanted);
}

/** What is gone through for one page, so that nobody waits longer than for some 50,000 records. */
const [mostPages, pageLimit] = [50, 1000];

async function filled(
  store: Store,
  query: SessionQuery,
  first: Page<SessionRecord>,
  isWanted: (record: SessionRecord) => boolean,
): Promise<Page<SessionRecord>> {
  const { items, nextCursor } = first;
  const gone = [first];
  const limit = pageSize(query.limit);
  const found = [...items];
  let cursor = nextCursor;
  for (let pages = 0; pages < mostPages && cursor !== undefined && found.length <= limit; pages += 1) {
    const page: Page<SessionRecord> = await visibleOf(store, { ...query, limit: pageLimit, cursor });
    for (const record of page.items) if (isWanted(record)) found.push(record);
    gone.push(page);
    cursor = page.nextCursor;
  }
  const unread = unreadableIn(gone);
  const last = found[limit - 1];
  if (found.length > limit && last !== undefined)
    return { items: found.slice(0, limit), nextCursor: encodeCursor(last), ...unread };
  return { items: found, ...(cursor !== undefined && { nextCursor: cursor }), ...unread };
}

export async function countShown(
  store: Store,
  { archived = "exclude", ...filter }: CountFilter,
): Promise<number> {
  if (archived === "include") return countVisible(store, filter);
  const count = (marks: Metadata) =>
    countIn(filter, (place) => store.count({ ...place, metadata: { ...place.metadata, ...marks } }));
  // One that was archived when it was deleted is in the trash with that mark.
  const [marked, trashed] = await Promise.all([count(mark), count({ ...mark, ...hiddenAs("trashed") })]);
  return archived === "only" ? marked - trashed : (await countVisible(store, filter)) - (marked - trashed);
}

/**
 * Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY` in a turn or while this process holds it, `STORE_…`; then it is archived
 * already, perhaps, and takes more room.
 */
export function archiveSession(
  { store, events }: Parts,
  id: SessionId,
  take: (taking: Taking) => Promise<OpenedJournal>,
): Promise<SessionRecord> {
  return holdBriefly(async ({ journal, record }) => {
    const change = () => journal.update({ metadata: { ...record.metadata, ...mark } });
    const archived = isArchived(record)
      ? await change()
      : await events.noted("archive", id, change, (changed) => ({ record: changed }));
    await store.compress(id, journal.lease);
    await journal.settle();
    return archived;
  }, take);
}

/** In lists again, where it was. */
export async function unarchiveSession(
  { store, events }: Parts,
  before: SessionRecord,
): Promise<SessionRecord> {
  if (!isArchived(before)) return before;
  const patch = { metadata: broughtBack(before.metadata) };
  const record = await store.update(before.id, patch);
  tellUpdate(events.tell, record, patch);
  return record;
}

/** Whoever opens a session wants it back. One that cannot be brought back is let go. */
export async function broughtBackByOpening(opened: OpenedJournal): Promise<OpenedJournal> {
  if (!isArchived(opened.record)) return opened;
  const metadata = broughtBack(opened.record.metadata);
  try {
    return { ...opened, record: await opened.journal.update({ metadata }) };
  } catch (error) {
    await opened.journal.release().catch(() => undefined);
    throw error;
  }
}
