/**
 * Lists of what somebody may see: what is theirs, what is shared with them and what is nobody's, each asked of the store
 * by itself, so that a page costs the same however many sessions of others there are.
 */
import { isSessionId } from "../../base/ids.ts";
import type { Page, SessionFilter, SessionQuery, SessionRecord, Store } from "../contract.ts";
import { encodeCursor, listOrder, pageOf, pageSize } from "../query.ts";
import type { Access } from "./access.ts";
import { isMark, owned, ownedBy, sharedWith } from "./marks.ts";

type Sees = (record: SessionRecord) => boolean;

/** What a token's folder leaves out is gone through for one page, so far. */
const mostPages = 50;

/** Filters that together match all that may be seen, each session once. */
function filtersFor<F extends SessionFilter>(filter: F, { principal, isAdmin }: Access): readonly F[] {
  if (isAdmin) return [filter];
  const with_ = (metadata: object): F => ({ ...filter, metadata: { ...filter.metadata, ...metadata } });
  const nobodys: F = { ...filter, withoutMetadata: { ...filter.withoutMetadata, ...owned } };
  return principal === undefined
    ? [nobodys]
    : [with_(ownedBy(principal)), with_(sharedWith(principal)), nobodys];
}

/** @param sees decides about each session: the store's filters only leave out most of the others */
export async function listFor(
  store: Store,
  access: Access,
  query: SessionQuery,
  sees: Sees,
): Promise<Page<SessionRecord>> {
  if (asksForMarks(query)) return { items: [] };
  const { sessions, folder } = access.token ?? {};
  if (sessions !== undefined) return pageOf(await theseOf(store, sessions, sees), query);
  const page = await listOnce(store, access, query, sees);
  return folder === undefined ? page : filled(store, access, query, sees, page);
}

async function listOnce(
  store: Store,
  access: Access,
  query: SessionQuery,
  sees: Sees,
): Promise<Page<SessionRecord>> {
  const filters = filtersFor(query, access);
  const [only] = filters;
  if (only !== undefined && filters.length === 1) {
    const page = await store.list(only);
    return page.items.every(sees) ? page : { ...page, items: page.items.filter(sees) };
  }
  const pages = await Promise.all(filters.map((filter) => store.list(filter)));
  return merged(pages, pageSize(query.limit), sees);
}

/** Each of the pages is in the order of lists, and as long as the one that is wanted. */
function merged(pages: readonly Page<SessionRecord>[], limit: number, sees: Sees): Page<SessionRecord> {
  const found = new Map(pages.flatMap(({ items }) => items.map((record) => [record.id, record])));
  const sorted = [...found.values()].sort(listOrder);
  const taken = sorted.slice(0, limit);
  const last = taken.at(-1);
  const isMore = sorted.length > limit || pages.some(({ nextCursor }) => nextCursor !== undefined);
  const items = taken.filter(sees);
  return isMore && last !== undefined ? { items, nextCursor: encodeCursor(last) } : { items };
}

async function filled(
  store: Store,
  access: Access,
  query: SessionQuery,
  sees: Sees,
  { items, nextCursor }: Page<SessionRecord>,
): Promise<Page<SessionRecord>> {
  const limit = pageSize(query.limit);
  const found = [...items];
  let cursor = nextCursor;
  for (let pages = 0; pages < mostPages && cursor !== undefined && found.length < limit; pages += 1) {
    const page: Page<SessionRecord> = await listOnce(store, access, { ...query, limit: 1000, cursor }, sees);
    found.push(...page.items);
    cursor = page.nextCursor;
  }
  const last = found[limit - 1];
  if (found.length > limit && last !== undefined)
    return { items: found.slice(0, limit), nextCursor: encodeCursor(last) };
  return { items: found, ...(cursor !== undefined && { nextCursor: cursor }) };
}

async function theseOf(store: Store, ids: readonly string[], sees: Sees): Promise<readonly SessionRecord[]> {
  const found = await Promise.all(ids.filter(isSessionId).map((id) => store.get(id)));
  return found.filter((record) => record !== undefined && sees(record)) as readonly SessionRecord[];
}

/** How many may be seen. What is nobody's is what is left without what is somebody's, which most stores count sooner. */
export async function countFor(
  store: Store,
  access: Access,
  filter: SessionFilter,
  sees: Sees,
): Promise<number> {
  if (asksForMarks(filter)) return 0;
  const { token, principal, isAdmin } = access;
  if (token?.sessions !== undefined || token?.folder !== undefined)
    return countEach(store, access, filter, sees);
  const count = (metadata: object) =>
    store.count({ ...filter, metadata: { ...filter.metadata, ...metadata } });
  if (isAdmin) return store.count(filter);
  const [all, others] = await Promise.all([store.count(filter), count(owned)]);
  const nobodys = all - others;
  if (principal === undefined || others === 0) return nobodys;
  const [own, lent] = await Promise.all([count(ownedBy(principal)), count(sharedWith(principal))]);
  if (lent === 0) return nobodys + own;
  // Some of these may have ended.
  const shared = { ...filter, metadata: { ...filter.metadata, ...sharedWith(principal) } };
  return nobodys + own + (await countSeen(store, shared, sees));
}

async function countEach(store: Store, access: Access, filter: SessionFilter, sees: Sees): Promise<number> {
  let count = 0;
  for (let cursor: string | undefined; ;) {
    const query = { ...filter, limit: 1000, ...(cursor !== undefined && { cursor }) };
    const page = await listFor(store, access, query, sees);
    count += page.items.length;
    cursor = page.nextCursor;
    if (cursor === undefined) return count;
  }
}

async function countSeen(store: Store, filter: SessionFilter, sees: Sees): Promise<number> {
  let count = 0;
  for (let cursor: string | undefined; ;) {
    const page = await store.list({ ...filter, limit: 1000, ...(cursor !== undefined && { cursor }) });
    count += page.items.filter(sees).length;
    cursor = page.nextCursor;
    if (cursor === undefined) return count;
  }
}

/** Above the guard nothing has any of them. */
function asksForMarks({ metadata = {} }: SessionFilter): boolean {
  return Object.keys(metadata).some(isMark);
}
