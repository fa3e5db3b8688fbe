/**
 * Lists of what somebody may see: what is theirs, what is shared with them and what is nobody's, each asked of the store
 * by itself, so that a page costs the same however many sessions of others there are.
 */
import { isSessionId, type SessionId } from "../../base/ids.ts";
import type { Page, SessionFilter, SessionQuery, SessionRecord, Store } from "../contract.ts";
import { encodeCursor, listOrder, pageOf, pageSize } from "../query.ts";
import type { Access } from "./access.ts";
import { isMark, owned, ownedBy, sharedWith } from "./marks.ts";
import { isUnreadable, unreadableIn } from "../../base/unreadable.ts";

type Sees = (record: SessionRecord) => boolean;

/** What a token's folder leaves out is gone through for one page, so far. */
const mostPages = 50;

/** The place of the filter for what others have lent. */
const lentAt = 1;

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
    const page = told(await store.list(only), access);
    return page.items.every(sees) ? page : { ...page, items: page.items.filter(sees) };
  }
  const pages = await Promise.all(filters.map((filter) => store.list(filter)));
  return told(merged(pages, pageSize(query.limit), sees), access);
}

/** Of what the medium has lost it is not known whether it is nobody's. */
function undamaged({ unreadable }: Page<SessionRecord>): Pick<Page<SessionRecord>, "unreadable"> {
  return unreadable === undefined
    ? {}
    : { unreadable: unreadable.filter(({ code }) => code !== "STORE_CORRUPT") };
}

/** What cannot be read may be outside of a token's folder. */
function told(page: Page<SessionRecord>, { token }: Access): Page<SessionRecord> {
  if (token?.folder === undefined || page.unreadable === undefined) return page;
  const { unreadable: _, ...rest } = page;
  return rest;
}

/** Each of the pages is in the order of lists, and as long as the one that is wanted. */
function merged(pages: readonly Page<SessionRecord>[], limit: number, sees: Sees): Page<SessionRecord> {
  const found = new Map(pages.flatMap(({ items }) => items.map((record) => [record.id, record])));
  const sorted = [...found.values()].sort(listOrder);
  const taken = sorted.slice(0, limit);
  const last = taken.at(-1);
  const isMore = sorted.length > limit || pages.some(({ nextCursor }) => nextCursor !== undefined);
  const items = taken.filter(sees);
  // Whether a share has ended is not known of what cannot be read: it is its owner's to know of.
  const unread = unreadableIn(
    pages.map((page, at) => (at === lentAt ? {} : at === 0 ? page : undamaged(page))),
  );
  if (!isMore || last === undefined) return { items, ...unread };
  return { items, nextCursor: encodeCursor(last), ...unread };
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
  const found = await Promise.all(ids.filter(isSessionId).map((id) => getReadable(store, id)));
  return found.filter((record) => record !== undefined && sees(record)) as readonly SessionRecord[];
}

async function getReadable(store: Store, id: SessionId): Promise<SessionRecord | undefined> {
  try {
    return await store.get(id);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/**
 * Whether a session that cannot be read is somebody's, as its owner or because it is nobody's: lists look for the marks
 * of owners without reading the rest. What is lent is not, because nobody knows whether that has ended.
 */
export async function isUnreadableOwn(store: Store, access: Access, id: SessionId): Promise<boolean> {
  const { token, isAdmin } = access;
  if (token?.folder !== undefined || token?.sessions?.includes(id) === false) return false;
  if (isAdmin) return true;
  const filters = filtersFor({ idStartsWith: id }, access);
  for (const [at, filter] of filters.entries()) {
    if (filters.length > 1 && at === lentAt) continue;
    const { unreadable = [] } = await store.list(filter);
    if (unreadable.some((each) => each.id === id)) return true;
  }
  return false;
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
