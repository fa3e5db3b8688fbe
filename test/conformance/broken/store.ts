/** Stores that each break the contract in one way: what the suite must be able to see. */
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import type { Store } from "../../../src/store/contract.ts";

export interface Defect {
  readonly title: string;
  /** The capability whose checks must catch it. */
  readonly caughtBy: string;
  readonly breaks: (good: Store) => Partial<Store>;
}

/** A memory store with the defect put in front of it. */
export function brokenStore({ breaks }: Pick<Defect, "breaks">): Store {
  const good = openMemoryStore();
  return { ...delegating(good), ...breaks(good) };
}

function delegating(good: Store): Store {
  return {
    name: good.name,
    capabilities: good.capabilities,
    create: (session) => good.create(session),
    get: (id) => good.get(id),
    update: (id, patch, lease) => good.update(id, patch, lease),
    delete: (id, lease) => good.delete(id, lease),
    list: (query) => good.list(query),
    count: (filter) => good.count(filter),
    append: (id, after, entries, lease) => good.append(id, after, entries, lease),
    seal: (id, range, entries, lease) => good.seal(id, range, entries, lease),
    rewrite: (id, from, entries, lease) => good.rewrite(id, from, entries, lease),
    compress: (id, lease) => good.compress(id, lease),
    read: (id, range) => good.read(id, range),
    acquire: (id, request) => good.acquire(id, request),
    renew: (lease) => good.renew(lease),
    release: (lease) => good.release(lease),
    flush: () => good.flush(),
    stats: () => good.stats(),
    identity: () => good.identity(),
    changeMark: async () => good.changeMark?.(),
    textIndex: () => good.textIndex(),
    close: () => good.close(),
    [Symbol.asyncDispose]: () => good.close(),
  };
}
