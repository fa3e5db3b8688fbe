/** Drivers around drivers: what they do otherwise, and all else as the one within does it. */
import type { SessionId } from "../base/ids.ts";
import { KeyedQueue } from "../base/queue.ts";
import { frozenCopy } from "./copy.ts";
import type { Lease, NewEntry } from "./contract.ts";
import type { Awaitable } from "../base/awaitable.ts";
import type { StoreDriver } from "./driver.ts";

/** Does one operation on the driver within; `id` is the session that it is about, if it is about one. */
type On = <T>(act: (driver: StoreDriver) => Awaitable<T>, id?: SessionId) => Awaitable<T>;

/** @param inner a driver, a store (whose operations are a driver's too), or what gives one for each call */
export function forwarding(
  inner: StoreDriver | (() => Awaitable<StoreDriver>),
  overrides: Partial<StoreDriver>,
): StoreDriver {
  if (typeof inner !== "function")
    return assembled(
      factsOf(inner),
      operations((act) => act(inner)),
      roomSaving((act) => act(inner), inner),
      overrides,
    );
  const on: On = (act) => {
    const found = inner();
    return found instanceof Promise ? found.then(act) : act(found);
  };
  return assembled({ changesMetadata: true }, operations(on), roomSaving(on), overrides);
}

/** Tells failures of the medium in the contract's codes. */
export function translating(driver: StoreDriver): StoreDriver {
  const told = (error: unknown, id?: SessionId) =>
    driver.toStoreError === undefined ? error : driver.toStoreError(error, id);
  const on: On = (act, id) => {
    const fail = (error: unknown): never => {
      throw told(error, id);
    };
    try {
      const result = act(driver);
      return result instanceof Promise ? result.catch(fail) : result;
    } catch (error) {
      return fail(error);
    }
  };
  return assembled(factsOf(driver), operations(on), roomSaving(on, driver), {
    read: async function* (id, range) {
      try {
        yield* driver.read(id, range);
      } catch (error) {
        throw told(error, id);
      }
    },
  });
}

/** Lets the writes to a session begin one after the other. */
export function queueing(driver: StoreDriver): StoreDriver {
  const queue = new KeyedQueue<SessionId>();
  /** What is given is copied at once: the caller may change it before the write has its turn. */
  const write = <Given, T>(id: SessionId, given: Given, act: (own: Given) => Awaitable<T>): Promise<T> => {
    const own = frozenCopy(given);
    return queue.run(id, () => act(own));
  };
  /** Entries are many and flat: a deep, frozen copy of 100 of them takes as long as a third of a server's append. */
  const writeEntries = <T>(
    id: SessionId,
    entries: readonly NewEntry[],
    lease: Lease,
    act: (own: readonly NewEntry[], held: Lease) => Awaitable<T>,
  ): Promise<T> => {
    const own = entries.map(({ kind, atMs, data }) => ({ kind, atMs, data }));
    const held = { ...lease };
    return queue.run(id, () => act(own, held));
  };
  return forwarding(driver, {
    create: (session) => write(session.id, session, (own) => driver.create(own)),
    update: (id, patch, lease) =>
      write(id, { patch, lease }, (own) => driver.update(id, own.patch, own.lease)),
    delete: (id, lease) => write(id, lease, (own) => driver.delete(id, own)),
    append: (id, after, entries, lease) =>
      writeEntries(id, entries, lease, (own, held) => driver.append(id, after, own, held)),
    seal: (id, { from, head }, entries, lease) =>
      writeEntries(id, entries, lease, (own, held) => driver.seal(id, { from, head }, own, held)),
    ...(driver.rewrite && {
      rewrite: (id, from, entries, lease) =>
        writeEntries(id, entries, lease, (own, held) => driver.rewrite?.(id, from, own, held)),
    }),
    acquire: (id, request) => write(id, request, (own) => driver.acquire(id, own)),
    renew: (lease) => write(lease.sessionId, lease, (own) => driver.renew(own)),
    release: (lease) => write(lease.sessionId, lease, (own) => driver.release(own)),
    close: () => driver.close(queue.idle()),
  });
}

type Facts = Pick<StoreDriver, "name" | "capabilities" | "recovered" | "changesMetadata">;

function factsOf(inner: StoreDriver): Facts {
  return {
    name: inner.name,
    recovered: inner.recovered,
    // Of what is a store, its shell sees to it.
    changesMetadata: Symbol.asyncDispose in inner || inner.changesMetadata === true,
    get capabilities() {
      return inner.capabilities;
    },
  };
}

type RoomSaving = Pick<StoreDriver, "rewrite" | "compress">;

/** What not every driver has, and every store. */
function roomSaving(on: On, driver?: StoreDriver): RoomSaving {
  const has = (name: keyof RoomSaving) => driver === undefined || driver[name] !== undefined;
  return {
    ...(has("rewrite") && {
      rewrite: (id, from, entries, lease) => on((each) => each.rewrite?.(id, from, entries, lease), id),
    }),
    ...(has("compress") && { compress: (id, lease) => on((each) => each.compress?.(id, lease), id) }),
  };
}

function operations(on: On): Omit<StoreDriver, keyof Facts | keyof RoomSaving> {
  return {
    create: (session) => on((driver) => driver.create(session), session.id),
    get: (id) => on((driver) => driver.get(id), id),
    update: (id, patch, lease) => on((driver) => driver.update(id, patch, lease), id),
    delete: (id, lease) => on((driver) => driver.delete(id, lease), id),
    list: (query) => on((driver) => driver.list(query)),
    count: (filter) => on((driver) => driver.count(filter)),
    append: (id, after, entries, lease) => on((driver) => driver.append(id, after, entries, lease), id),
    seal: (id, range, entries, lease) => on((driver) => driver.seal(id, range, entries, lease), id),
    read: async function* (id, range) {
      yield* await on((driver) => driver.read(id, range));
    },
    acquire: (id, request) => on((driver) => driver.acquire(id, request), id),
    renew: (lease) => on((driver) => driver.renew(lease), lease.sessionId),
    release: (lease) => on((driver) => driver.release(lease), lease.sessionId),
    flush: () => on((driver) => driver.flush()),
    stats: () => on((driver) => driver.stats()),
    identity: () => on((driver) => driver.identity?.()),
    changeMark: () => on((driver) => driver.changeMark?.()),
    textIndex: () => on((driver) => driver.textIndex?.()),
    close: (queued) => on((driver) => driver.close(queued)),
  };
}

/** Each over the one before, by their descriptors, so that a getter stays one. */
function assembled(...parts: readonly Partial<StoreDriver>[]): StoreDriver {
  const driver = {};
  for (const part of parts) Object.defineProperties(driver, Object.getOwnPropertyDescriptors(part));
  return driver as StoreDriver;
}
