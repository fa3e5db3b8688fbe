/** A store that is opened behind the first calls, and again after a failure: starting up waits for no medium. */
import type { Store, StoreCapabilities } from "./contract.ts";
import { storeClosed } from "./refusals.ts";

const unknownCapabilities: StoreCapabilities = { persistent: false, shared: false, survivesPowerLoss: false };

export interface DeferredStore extends Store {
  /** Opens it ahead of the first call; a failure is that call's to report. */
  begin(): void;
}

/** @param open opens the store; asked again by the next call when it has failed */
export function deferStore(name: string, open: () => Promise<Store>): DeferredStore {
  let opening: Promise<Store> | undefined;
  let opened: Store | undefined;
  let closed = false;
  const store = async (): Promise<Store> => {
    if (opened !== undefined) return opened;
    if (closed) throw storeClosed(name);
    opening ??= open();
    try {
      opened = await opening;
      return opened;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  return {
    name,
    begin: () => void store().catch(() => undefined),
    get capabilities() {
      return opened?.capabilities ?? unknownCapabilities;
    },
    create: async (session) => (await store()).create(session),
    get: async (id) => (await store()).get(id),
    update: async (id, patch, lease) => (await store()).update(id, patch, lease),
    delete: async (id) => (await store()).delete(id),
    list: async (query) => (await store()).list(query),
    count: async (filter) => (await store()).count(filter),
    append: async (id, after, entries, lease) => (await store()).append(id, after, entries, lease),
    seal: async (id, range, entries, lease) => (await store()).seal(id, range, entries, lease),
    read: async function* (id, range) {
      yield* (await store()).read(id, range);
    },
    acquire: async (id, request) => (await store()).acquire(id, request),
    renew: async (lease) => (await store()).renew(lease),
    release: async (lease) => (await store()).release(lease),
    flush: async () => opened?.flush(),
    stats: async () => (await store()).stats(),
    close: async () => {
      closed = true;
      await opening?.then(
        (each) => each.close(),
        () => undefined,
      );
    },
  };
}
