/**
 * A store in which everybody finds what is theirs: a decorator for every store. What belongs to others is not there,
 * and what may only be read cannot be changed. It is a rule that every sidecar keeps, not one that the medium does: who
 * opens the medium otherwise sees all of it.
 */
import type { SessionId } from "../../base/ids.ts";
import type { Lease, NewSession, SessionPatch, SessionRecord, Store, StoreStats } from "../contract.ts";
import { frozenCopy } from "../copy.ts";
import type { StoreDriver } from "../driver.ts";
import { sessionNotFound } from "../refusals.ts";
import { wrapStore } from "../shell.ts";
import { mayMake, mayReach, rightsOn, viewOf, type Access } from "./access.ts";
import { Guard, guardOf, noteGuard, type AccessSource } from "./guard.ts";
import { countFor, listFor } from "./lists.ts";
import { changesTo, hiddenAs, isOwned, owned, ownedBy, ownerOf, sessionOf, withoutMarks } from "./marks.ts";
import type { Permission } from "./permissions.ts";
import { mayNotMake, noToken } from "./refusals.ts";
import { entriesOf, leasesOf } from "./writes.ts";

/** The store as somebody may use it. It closes `inner`. A store that is guarded already is guarded anew, not twice. */
export function guardedStore(inner: Store, source: AccessSource): Store {
  const within = guardOf(inner)?.inner ?? inner;
  const guard = new Guard(within, source);
  const store = wrapStore(within, {
    ...recordsOf(within, guard),
    ...listsOf(within, guard),
    ...entriesOf(within, guard),
    ...leasesOf(within, guard),
    ...factsOf(within, guard),
    close: async () => {
      await guard.idle();
      await within.close();
    },
  });
  noteGuard(store, guard);
  return store;
}

function recordsOf(inner: Store, guard: Guard) {
  return {
    create: (given) => {
      const own = frozenCopy(given);
      const make = async () => guard.shown(await inner.create(await newFor(inner, guard, own)));
      return guard.inOrder(given.id, false, make);
    },
    get: (id) => {
      const { access } = guard;
      const see = (record: SessionRecord | undefined, as: Access) => {
        if (record === undefined) return undefined;
        if (as.token === undefined && !isOwned(record.metadata) && hiddenAs(record.metadata) !== "token")
          return record;
        if (rightsOn(record, as, Date.now()).may.size > 0) return guard.shown(record);
        return sessionOf(record.metadata) === undefined
          ? undefined
          : guard.visible(id).then((found) => found && guard.shown(found.record));
      };
      if (!(access instanceof Promise)) return guard.found(id).then((record) => see(record, access));
      return access.then(async (as) => see(await guard.found(id), as));
    },
    update: (id, patch, lease) => updated(inner, guard, id, patch, lease),
    delete: (id, lease) => {
      const own = frozenCopy({ lease });
      return guard.inOrder(id, false, async () => {
        if (await guard.isUnreadable(id)) return inner.delete(id, own.lease);
        const found = await guard.visible(id);
        if (found === undefined) return false;
        await guard.required(id, await neededToDelete(guard, found.record));
        guard.forget(id);
        const wasThere = await inner.delete(id, own.lease);
        if (wasThere) guard.noteDeleted(id);
        return wasThere;
      });
    },
  } satisfies Partial<StoreDriver>;
}

/** What a session is made by, and is not yet. */
const unfinished: ReadonlySet<string> = new Set(["adopting", "importing"]);

/** Whoever may write takes back what they have begun; what belongs to a session is no session. */
async function neededToDelete(guard: Guard, { metadata, headSeq }: SessionRecord): Promise<Permission> {
  const { principal } = await guard.access;
  const isBegun = headSeq === 0 || unfinished.has(hiddenAs(metadata) ?? "");
  const isOwn = ownerOf(metadata) === principal;
  return sessionOf(metadata) !== undefined || (isOwn && isBegun) ? "prompt" : "delete";
}

/** What every turn changes, under a lease that was taken here, need not be looked at. */
function updated(
  inner: Store,
  guard: Guard,
  id: SessionId,
  patch: SessionPatch,
  lease: Lease | undefined,
): Promise<SessionRecord> {
  const { metadata, metadataChanges, cwd, additionalDirectories } = patch;
  const isPlain = [metadata, metadataChanges, cwd, additionalDirectories].every((each) => each === undefined);
  if (isPlain && lease !== undefined && guard.heldBy(lease) !== undefined)
    return guard.inOrder(id, true, async () => guard.shown(await inner.update(id, patch, lease)));
  const own = frozenCopy({ patch, lease });
  return guard.inOrder(id, false, async () => {
    const { record } = await guard.required(id, "prompt", "delete");
    const wanted = await patchFor(guard, record, own.patch);
    return guard.shown(await inner.update(id, wanted, own.lease));
  });
}

/** A new session is its maker's; what belongs to a session is that session's owner's; tombstones are nobody's. */
async function newFor(inner: Store, guard: Guard, given: NewSession): Promise<NewSession> {
  const access = await guard.access;
  const hidden = hiddenAs(given.metadata);
  if (hidden === "token") throw noToken();
  const isSession = hidden === undefined || unfinished.has(hidden);
  if (isSession && !(mayMake(given.cwd, access) && mayReach(given.additionalDirectories, access)))
    throw mayNotMake();
  if (given.lineage !== undefined) await mayTakeAlong(inner, guard, given.lineage.parentId);
  const metadata = withoutMarks(given.metadata);
  const of = sessionOf(metadata);
  const owner = of === undefined ? access.principal : await ownerOfSession(guard, of as SessionId);
  if (owner === undefined || hidden === "deleted") return { ...given, metadata };
  return { ...given, metadata: { ...metadata, ...ownedBy(owner) } };
}

async function mayTakeAlong(inner: Store, guard: Guard, parentId: SessionId): Promise<void> {
  const parent = await guard.visible(parentId);
  if (parent === undefined && (await inner.get(parentId)) !== undefined) throw sessionNotFound(parentId);
  if (parent !== undefined && !parent.rights.may.has("export")) throw guard.refused(parentId, "export");
}

async function ownerOfSession(guard: Guard, id: SessionId): Promise<string | undefined> {
  const { record } = await guard.required(id, "prompt");
  return ownerOf(record.metadata);
}

/** Marks stay as they are, whatever somebody gives who has seen none. Into the trash and back is a deletion. */
async function patchFor(guard: Guard, record: SessionRecord, patch: SessionPatch): Promise<SessionPatch> {
  const { metadata, metadataChanges = {}, ...rest } = patch;
  const changes = {
    ...(metadata && changesTo(record.metadata, metadata)),
    ...withoutMarks(metadataChanges),
  };
  const becomes = hiddenAs(changes);
  if (becomes === "token") throw noToken();
  // Else somebody's words would be taken for what another's session was.
  if (becomes === "originals") throw guard.refused(record.id, "own");
  const isTrashing = becomes === "trashed" || hiddenAs(record.metadata) === "trashed";
  const { rights } = await guard.required(record.id, isTrashing ? "delete" : "prompt");
  const access = await guard.access;
  if (patch.cwd !== undefined && rights.isLent && !mayMake(patch.cwd, access)) throw mayNotMake();
  // What its maker has given it already is no news.
  const more = patch.additionalDirectories?.filter((each) => !record.additionalDirectories.includes(each));
  if (!mayReach(more ?? [], access)) throw mayNotMake();
  return Object.keys(changes).length === 0 ? rest : { ...rest, metadataChanges: changes };
}

function listsOf(inner: Store, guard: Guard) {
  const sees = (access: Access) => (record: SessionRecord) =>
    rightsOn(record, access, Date.now()).may.size > 0;
  /** What belongs to a session is asked for by that session. */
  const isOfVisible = async (metadata = {}) => {
    const of = sessionOf(metadata);
    return of !== undefined && (await guard.reachesOf(of as SessionId));
  };
  return {
    list: async (query) => {
      const access = await guard.access;
      const page = (await isOfVisible(query.metadata))
        ? await inner.list(query)
        : await listFor(inner, access, query, sees(access));
      // What is nobody's has no marks.
      if (!page.items.some(({ metadata }) => isOwned(metadata))) return page;
      return { ...page, items: page.items.map((record) => guard.shown(record)) };
    },
    count: async (filter) => {
      const access = await guard.access;
      return countFor(inner, access, filter, sees(access));
    },
  } satisfies Partial<StoreDriver>;
}

function factsOf(inner: Store, guard: Guard) {
  return {
    stats: async (): Promise<StoreStats> => {
      const access = await guard.access;
      const stats = await inner.stats();
      if (access.isAdmin && access.token === undefined) return stats;
      const seen = (record: SessionRecord) => rightsOn(record, access, Date.now()).may.size > 0;
      const sessions = await countFor(inner, access, {}, seen);
      return sessions >= stats.sessions
        ? stats
        : { ...stats, sessions, entries: await entriesSeen(inner, access, seen) };
    },
    identity: async () => {
      const identity = await inner.identity();
      return identity === undefined ? undefined : identity + viewOf(await guard.access);
    },
    // Who may see what changes by that, and also without a write.
    changeMark: async () => {
      const view = viewOf(await guard.access);
      const mark = await inner.changeMark?.();
      return mark === undefined ? undefined : mark + view;
    },
    // It has the words of all; who does not see all keeps an index of what they see.
    textIndex: async () => {
      const { isAdmin, token } = await guard.access;
      const seesAll = token === undefined && (isAdmin || (await inner.count({ metadata: owned })) === 0);
      return seesAll ? inner.textIndex() : undefined;
    },
  } satisfies Partial<StoreDriver>;
}

async function entriesSeen(
  inner: Store,
  access: Access,
  seen: (record: SessionRecord) => boolean,
): Promise<number> {
  let entries = 0;
  for (let cursor: string | undefined; ;) {
    const query = { limit: 1000, ...(cursor !== undefined && { cursor }) };
    const page = await listFor(inner, access, query, seen);
    for (const { headSeq, lineage } of page.items) entries += headSeq - (lineage?.atSeq ?? 0);
    cursor = page.nextCursor;
    if (cursor === undefined) return entries;
  }
}
