/**
 * Sessions by their folder. A session keeps its folder as its client has spelled it, because agents may know it by that;
 * where that is not the folder's real path, the record says what is, so that lists find it by whichever spelling.
 */
import { folderOf, plainFolder } from "../base/folder.ts";
import type { SessionId } from "../base/ids.ts";
import { encodeCursor, listOrder, pageSize } from "../store/query.ts";
import { unreadableIn } from "../base/unreadable.ts";
import type {
  Metadata,
  Page,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  Store,
} from "../store/contract.ts";

/** In the metadata: the folder's real path. */
const key = "acp-sidecar.folder";

/** What of the metadata stays when somebody else writes others; the others are those of archived.ts, originals.ts and audited.ts. */
const ours: ReadonlySet<string> = new Set([
  key,
  "acp-sidecar.archived",
  "acp-sidecar.compactedAtMs",
  "acp-sidecar.place",
]);

/** In its folder, as it is kept. */
export function placed<T extends { readonly cwd: string; readonly metadata?: Metadata }>(session: T): T {
  const cwd = plainFolder(session.cwd);
  const { [key]: _, ...metadata } = session.metadata ?? {};
  const real = folderOf(cwd);
  return { ...session, cwd, metadata: real === cwd ? metadata : { ...metadata, [key]: real } };
}

/** What puts a session into another folder. */
export function movedTo(
  { metadata }: SessionRecord,
  folder: string,
): Required<Pick<SessionPatch, "cwd" | "metadata">> {
  return placed({ cwd: folder, metadata });
}

/** A patch of somebody who need not know what else the metadata hold. */
export function keptInPlace(before: SessionRecord, patch: SessionPatch): SessionPatch {
  const { cwd, metadata } = patch;
  if (cwd !== undefined) return placed({ ...patch, cwd, metadata: metadata ?? before.metadata });
  if (metadata === undefined) return patch;
  const kept = Object.entries(before.metadata).filter(([name]) => ours.has(name));
  return kept.length === 0 ? patch : { ...patch, metadata: { ...metadata, ...Object.fromEntries(kept) } };
}

/** The folder of a session as it really is. */
export function realFolderOf({ cwd, metadata }: Pick<SessionRecord, "cwd" | "metadata">): string {
  const real = metadata[key];
  return typeof real === "string" ? real : cwd;
}

/** Every spelling under which a folder may be kept, the real one among them. */
export function spellingsOf(cwd: string): string[] {
  return filtersOf({ cwd }).map((filter) => filter.cwd ?? folderOf(cwd));
}

interface Places<F> {
  /** By each spelling under which it may be kept. */
  readonly spelled: readonly F[];
  /** By what it really is. */
  readonly real: F;
}

/** Filters that together match what `filter` means. */
function placesOf<F extends SessionFilter>(filter: F, cwd: string): Places<F> {
  const real = folderOf(cwd);
  const spellings = new Set([plainFolder(cwd), real]);
  for (const each of [...spellings]) spellings.add(each.normalize("NFC")).add(each.normalize("NFD"));
  const { cwd: _, ...others } = filter;
  return {
    spelled: Array.from(spellings, (each) => ({ ...filter, cwd: each })),
    real: { ...(others as F), metadata: { ...filter.metadata, [key]: real } },
  };
}

/** The same for whoever goes through all of them: some may come twice. */
export function filtersOf(filter: SessionFilter): readonly SessionFilter[] {
  if (filter.cwd === undefined) return [filter];
  const { spelled, real } = placesOf(filter, filter.cwd);
  return [...spelled, real];
}

/** A page of a store's list, by whichever spelling of the folder. */
export async function listIn(store: Pick<Store, "list">, query: SessionQuery): Promise<Page<SessionRecord>> {
  const filters = filtersOf(query);
  if (query.cwd === undefined) return store.list(query);
  // Each of them in the order of lists, and as long as the page that is wanted.
  const pages = await Promise.all(filters.map((each) => store.list(each)));
  const found = new Map<SessionId, SessionRecord>();
  for (const { items } of pages) for (const record of items) found.set(record.id, record);
  const limit = pageSize(query.limit);
  const items = [...found.values()].sort(listOrder).slice(0, limit);
  const last = items.at(-1);
  const isMore = found.size > limit || pages.some(({ nextCursor }) => nextCursor !== undefined);
  const unread = unreadableIn(pages);
  if (!isMore || last === undefined) return { items, ...unread };
  return { items, nextCursor: encodeCursor(last), ...unread };
}

/** How many there are, each counted once. */
export async function countIn(
  filter: SessionFilter,
  count: (filter: SessionFilter) => Promise<number>,
): Promise<number> {
  if (filter.cwd === undefined) return count(filter);
  const { spelled, real } = placesOf(filter, filter.cwd);
  const counted = await Promise.all([count(real), ...spelled.map(count)]);
  const all = counted.reduce((sum, each) => sum + each, 0);
  if (counted[0] === 0) return all;
  const twice = await Promise.all(
    spelled.map(({ cwd }) => count({ ...real, ...(cwd !== undefined && { cwd }) })),
  );
  return twice.reduce((rest, each) => rest - each, all);
}
