/** Lists: their order, cursors and page sizes, what a filter matches, and pages of sessions at hand in memory. */
import { SidecarError } from "../base/errors.ts";
import { isSessionId, type SessionId } from "../base/ids.ts";
import type { Metadata, NewSession, Page, SessionFilter, SessionQuery } from "./contract.ts";

/** Lists run by falling `updatedAtMs`, then falling `id`; a page goes on behind this place. */
export interface ListPlace {
  readonly updatedAtMs: number;
  readonly id: SessionId;
}

export function encodeCursor(place: ListPlace): string {
  return Buffer.from(`${place.updatedAtMs}.${place.id}`, "latin1").toString("base64url");
}

/** Errors: `INVALID_CURSOR`. */
export function decodeCursor(cursor: string): ListPlace {
  const [time, id] = Buffer.from(cursor, "base64url").toString("latin1").split(".");
  const updatedAtMs = Number(time);
  if (!time || !Number.isSafeInteger(updatedAtMs) || !isSessionId(id)) {
    throw new SidecarError(
      "INVALID_CURSOR",
      "The cursor is not one that this list gave out; start without it",
    );
  }
  return { updatedAtMs, id };
}

const defaultPageSize = 50;

/** A page size within the contract's bounds. */
export function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(Math.trunc(limit ?? defaultPageSize), 1), 1000);
}

export function matches(session: NewSession, filter: SessionFilter): boolean {
  const { cwd, updatedBeforeMs, updatedSinceMs, agentSessionId, parentId } = filter;
  const { metadata, withoutMetadata } = filter;
  if (cwd !== undefined && session.cwd !== cwd) return false;
  if (updatedBeforeMs !== undefined && session.updatedAtMs >= updatedBeforeMs) return false;
  if (updatedSinceMs !== undefined && session.updatedAtMs < updatedSinceMs) return false;
  if (!isNamedSo(session.id, filter)) return false;
  if (parentId !== undefined && session.lineage?.parentId !== parentId) return false;
  if (agentSessionId !== undefined && !session.agentSessionIds.includes(agentSessionId)) return false;
  if (metadata !== undefined && !Object.keys(metadata).every((key) => has(session, key, metadata)))
    return false;
  return withoutMetadata === undefined || !hasAny(session, withoutMetadata);
}

function has({ metadata }: NewSession, key: string, wanted: Metadata): boolean {
  return Object.hasOwn(metadata, key) && metadata[key] === wanted[key];
}

/** Asked of every session that is looked at, so without a list of the keys. */
function hasAny(session: NewSession, unwanted: Metadata): boolean {
  for (const key in unwanted) if (has(session, key, unwanted)) return true;
  return false;
}

/** Whether an id begins and ends as a filter says. */
export function isNamedSo(id: string, { idStartsWith = "", idEndsWith = "" }: SessionFilter): boolean {
  return id.startsWith(idStartsWith) && id.endsWith(idEndsWith);
}

/** Negative when `a` stands before `b` in a list. */
export function listOrder(a: ListPlace, b: ListPlace): number {
  return b.updatedAtMs - a.updatedAtMs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** The page that `query` asks for, of sessions in any order. One pass, and memory for a few pages only. */
export function pageOf<T extends NewSession>(sessions: Iterable<T>, query: SessionQuery): Page<T> {
  const behind = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const wanted = pageSize(query.limit) + 1;
  let best: T[] = [];
  let worst: T | undefined;
  const prune = () => {
    best = best.sort(listOrder).slice(0, wanted);
    if (best.length === wanted) worst = best[wanted - 1];
  };
  for (const session of sessions) {
    if (worst !== undefined && listOrder(session, worst) > 0) continue;
    if (behind !== undefined && listOrder(session, behind) <= 0) continue;
    if (!matches(session, query)) continue;
    best.push(session);
    if (best.length >= wanted * 4) prune();
  }
  prune();
  return toPage(best, wanted - 1);
}

/** A page of at most `limit` from sessions in list order, of which one more than `limit` was looked for. */
export function toPage<T extends ListPlace>(sessions: readonly T[], limit: number): Page<T> {
  const items = sessions.slice(0, limit);
  const last = items.at(-1);
  return sessions.length > limit && last !== undefined
    ? { items, nextCursor: encodeCursor(last) }
    : { items };
}
