/**
 * A store of which the medium sees no text: a decorator for every store. Entries, and of records all that somebody has
 * said or chosen, are encrypted before they reach the store within; ids, times, lineage, sizes, kinds and leases are
 * not. What lists look for (folder, metadata, agents' ids) is encrypted so that equal values stay equal.
 */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Lineage, SessionQuery, Store } from "../contract.ts";
import type { StoreDriver } from "../driver.ts";
import { compressSession } from "../compress.ts";
import { matches } from "../query.ts";
import { sessionNotFound } from "../refusals.ts";
import { wrapStore } from "../shell.ts";
import { eachReadable } from "../../base/unreadable.ts";
import type { Keyring } from "./keyring.ts";
import { SealedEntries } from "./sealed-entries.ts";
import { ancestorsOfFork, SealedRecords, type Ancestors } from "./sealed-record.ts";
import { isKeysId, keysRecords, listStart } from "./keys-record.ts";
import { StoreKeys } from "./store-keys.ts";

/**
 * The store, encrypted; an empty one becomes so. It closes `inner`, also when this fails. Errors: `KEY_MISSING` for
 * keys that are not at hand, `NOT_ENCRYPTED` for a store that holds plain sessions, `DECRYPT_FAILED`, `STORE_…`.
 */
export async function encryptedStore(inner: Store, ring: Keyring): Promise<Store> {
  try {
    return encrypting(inner, await StoreKeys.of(inner, ring));
  } catch (error) {
    await inner.close();
    throw error;
  }
}

function encrypting(inner: Store, keys: StoreKeys): Store {
  const within = { inner, keys, records: new SealedRecords(keys), entries: new SealedEntries(keys) };
  const driver: Partial<StoreDriver> = {
    ...recordsOf(within),
    ...listsOf(within),
    ...entriesOf(within),
    // Packed before it is encrypted: what is encrypted cannot be made smaller.
    compress: async (id, lease) => {
      try {
        // Where forks begin stands there in plain text, and may be of some that cannot be read.
        const plainly = {
          ...(driver as StoreDriver),
          list: async (query: SessionQuery) => inner.list(query),
        };
        await compressSession(plainly, (...args) => driver.rewrite?.(...args), id, lease);
      } catch (error) {
        if (!isSidecarError(error, "STORE_UNSUPPORTED")) throw error;
      }
    },
    acquire: async (id, request) => inner.acquire(own(id), request),
    stats: async () => {
      const { sessions, ...stats } = await inner.stats();
      return { ...stats, sessions: sessions - 2 };
    },
    // What is derived from it must not lie beside it in plain text: it is kept in memory.
    identity: () => undefined,
    textIndex: () => undefined,
    queuesWrites: true,
  };
  return wrapStore(inner, driver);
}

interface Within {
  readonly inner: Store;
  readonly records: SealedRecords;
  readonly entries: SealedEntries;
}

function recordsOf({ inner, records }: Within) {
  /** Of an unknown parent none: the store within refuses it. */
  const ancestorsOfNew = async (lineage: Lineage | undefined): Promise<Ancestors> => {
    if (lineage === undefined || isKeysId(lineage.parentId)) return [];
    const parent = await inner.get(lineage.parentId);
    return parent === undefined ? [] : ancestorsOfFork(lineage, await records.ancestorsIn(parent));
  };
  return {
    create: async (session) => {
      const sealed = await records.sealNew(session, await ancestorsOfNew(session.lineage));
      return records.open(await inner.create(sealed));
    },
    get: async (id) => {
      const found = isKeysId(id) ? undefined : await inner.get(id);
      return found && records.open(found);
    },
    update: async (id, patch, lease) => {
      const ancestors = patch.metadata === undefined ? [] : await ancestorsOf(inner, records, id);
      return records.open(await inner.update(own(id), await records.sealPatch(id, patch, ancestors), lease));
    },
    delete: async (id, lease) => !isKeysId(id) && inner.delete(id, lease),
  } satisfies Partial<StoreDriver>;
}

function listsOf({ inner, records }: Within) {
  return {
    list: async (query) => {
      // Behind the place of the keys, which no list shows.
      const { items, ...page } = await inner.list({ cursor: listStart, ...records.sealFilter(query) });
      const opened = await Promise.allSettled(items.map((item) => records.open(item)));
      return { ...page, ...eachReadable(items, (_, at) => outcomeOf(opened[at])) };
    },
    count: async (filter) => {
      const sealed = records.sealFilter(filter);
      const [count, ofKeys] = await Promise.all([inner.count(sealed), keysRecords(inner)]);
      return count - ofKeys.filter((record) => matches(record, sealed)).length;
    },
  } satisfies Partial<StoreDriver>;
}

function entriesOf({ inner, records, entries }: Within) {
  return {
    append: async (id, after, plain, lease) =>
      inner.append(own(id), after, entries.seal(id, after + 1, plain), lease),
    seal: async (id, range, plain, lease) =>
      inner.seal(own(id), range, entries.seal(id, range.from, plain), lease),
    rewrite: async (id, from, plain, lease) =>
      inner.rewrite(own(id), from, entries.seal(id, from, plain), lease),
    read: async function* (id, range) {
      const ancestors = await ancestorsOf(inner, records, id);
      for await (const page of inner.read(id, range)) yield await entries.open(id, ancestors, page);
    },
  } satisfies Partial<StoreDriver>;
}

function outcomeOf<T>(outcome: PromiseSettledResult<T> | undefined): T {
  if (outcome?.status === "fulfilled") return outcome.value;
  throw outcome?.reason;
}

/** Errors: `SESSION_NOT_FOUND`, `DECRYPT_FAILED`. */
async function ancestorsOf(inner: Store, records: SealedRecords, id: SessionId): Promise<Ancestors> {
  const record = await inner.get(own(id));
  if (record === undefined) throw sessionNotFound(id);
  return records.ancestorsIn(record);
}

/** Errors: `SESSION_NOT_FOUND` for the records of the keys, which are no sessions. */
function own(id: SessionId): SessionId {
  if (isKeysId(id)) throw sessionNotFound(id);
  return id;
}
