/**
 * Several stores as one, the fastest first. The last one is the truth: it acknowledges every write, and its
 * leases, fences and lists are the ones that count. The faster ones have copies. A copy answers only while
 * it is known to be what the truth would say:
 *
 * - every write goes to the truth and then to the copies; one that a copy has missed makes it unknown;
 * - final entries never change, so a copy of them is right for as long as the session is there;
 * - if other processes can write to the truth, it is asked for the record each time (or, told so by
 *   `freshForMs`, when its last word is older than that), and a running turn is read from a copy only if
 *   it was written through us under the lease that is still in force.
 *
 * Whatever a faster layer does not have, or fails to give, is read from the next one and written back. A
 * layer that fails is left alone for a while, and nothing that it has from before is believed afterwards.
 */
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { KeyedQueue } from "../../base/queue.ts";
import type { Entry, EntryRange, SessionRecord, Store, StoreStats } from "../contract.ts";
import { sessionNotFound } from "../refusals.ts";
import { wrapStore } from "../shell.ts";
import { FasterLayer } from "./faster-layer.ts";
import { Fetches, type Fetch } from "./fetches.ts";
import { readLayers } from "./reading.ts";

interface LayeredStoreOptions {
  /** The fastest first. They are this store's from now on: it closes them. */
  readonly layers: readonly Store[];
  /**
   * For how long the truth's word on a record holds where other processes can write to it too; 0 unless
   * told: it is asked each time.
   */
  readonly freshForMs?: number;
  /** For how long a layer that failed is left alone; 1 second unless told. */
  readonly retryMs?: number;
}

/** Errors: `CONFIG_INVALID` without at least two layers. */
export function openLayeredStore({ layers, freshForMs = 0, retryMs = 1000 }: LayeredStoreOptions): Store {
  const [fastest, ...others] = layers;
  const truth = others.pop();
  if (fastest === undefined || truth === undefined) {
    throw new SidecarError("CONFIG_INVALID", "A layered store needs two or more layers, the fastest first");
  }
  const asFaster = (layer: Store) => new FasterLayer(layer, { truth, freshForMs, retryMs });
  return layered(truth, new Layers(asFaster(fastest), others.map(asFaster), truth));
}

/** Lists, counts and flushes are the truth's own. */
function layered(truth: Store, layers: Layers): Store {
  return wrapStore(truth, {
    name: "layered",
    get: (id) => layers.get(id),
    read: (id, range) => layers.read(id, range),
    ...recordWrites(truth, layers),
    ...journalWrites(truth, layers),
    acquire: (id, request) => layers.write(id, () => truth.acquire(id, request)),
    renew: (lease) => layers.write(lease.sessionId, () => truth.renew(lease)),
    release: (lease) => layers.write(lease.sessionId, () => truth.release(lease)),
    stats: () => layers.stats(),
    close: () => layers.close(),
  });
}

function recordWrites(truth: Store, layers: Layers): Pick<Store, "create" | "update" | "delete"> {
  return {
    create: (session) => {
      const act = () => truth.create(session);
      return layers.write(session.id, act, (layer, record) => layer.put(record));
    },
    update: (id, patch, lease) => {
      const act = () => truth.update(id, patch, lease);
      return layers.write(id, act, (layer, record) => layer.updated(record, patch));
    },
    delete: (id, lease) => {
      const act = () => truth.delete(id, lease);
      return layers.write(id, act, (layer) => layer.deleted(id));
    },
  };
}

function journalWrites(
  truth: Store,
  layers: Layers,
): Pick<Store, "append" | "seal" | "rewrite" | "compress"> {
  return {
    append: (id, after, entries, lease) => {
      const act = () => truth.append(id, after, entries, lease);
      return layers.write(id, act, (layer) => layer.appended(id, after, entries, lease));
    },
    seal: (id, range, entries, lease) => {
      const act = () => truth.seal(id, range, entries, lease);
      return layers.write(id, act, (layer) => layer.sealed(id, range, entries));
    },
    rewrite: (id, from, entries, lease) => {
      const act = () => truth.rewrite(id, from, entries, lease);
      return layers.write(id, act, async (layer) => layer.rewritten());
    },
    compress: (id, lease) => layers.write(id, () => truth.compress(id, lease)),
  };
}

class Layers {
  readonly #fastest: FasterLayer;
  readonly #faster: readonly FasterLayer[];
  readonly #truth: Store;
  /** What concerns one session happens in the order of the calls. */
  readonly #order = new KeyedQueue<SessionId>();
  readonly #fetches = new Fetches();

  constructor(fastest: FasterLayer, others: readonly FasterLayer[], truth: Store) {
    this.#fastest = fastest;
    this.#faster = [fastest, ...others];
    this.#truth = truth;
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    if (this.#order.isBusy(id)) await this.#order.idle(id);
    return this.#fastest.get(id, () => this.#fetch(id));
  }

  async *read(id: SessionId, range: Required<EntryRange>): AsyncGenerator<readonly Entry[]> {
    const record = await this.get(id);
    if (record === undefined) throw sessionNotFound(id);
    yield* readLayers({ faster: this.#faster, truth: this.#truth, order: this.#order }, record, range);
  }

  /**
   * First the truth; what it refuses, or leaves open, leaves no copy believed.
   * @param follow does the same to a copy; without it the copies learn that only the truth can tell what has changed
   */
  write<T>(
    id: SessionId,
    act: () => Promise<T>,
    follow?: (layer: FasterLayer, result: T) => Promise<void>,
  ): Promise<T> {
    return this.#order.run(id, async () => {
      try {
        const result = await act();
        for (const layer of this.#faster) {
          if (follow === undefined) layer.invalidate(id);
          else await follow(layer, result);
        }
        return result;
      } catch (error) {
        for (const layer of this.#faster) layer.forget(id);
        throw error;
      } finally {
        this.#fetches.overtake(id);
      }
    });
  }

  /** The truth's figures, and how the faster layers do, each under its place and name. */
  async stats(): Promise<StoreStats> {
    const stats = await this.#truth.stats();
    const details: Record<string, number | string> = { ...stats.details };
    for (const [i, layer] of this.#faster.entries()) {
      for (const [key, value] of Object.entries(layer.figures())) {
        details[`${i + 1}.${layer.store.name}.${key}`] = value;
      }
    }
    return { ...stats, details };
  }

  async close(): Promise<void> {
    const all = [...this.#faster.map(({ store }) => store), this.#truth];
    const ended = await Promise.allSettled(all.map((store) => store.close()));
    for (const each of ended) if (each.status === "rejected") throw each.reason;
  }

  /** From the next layer that has it, or the truth, and back into the faster ones. */
  async #fetch(id: SessionId): Promise<SessionRecord | undefined> {
    const fetch = this.#fetches.begin(id);
    try {
      for (let at = 1; at < this.#faster.length; at += 1) {
        const found = await this.#faster[at]?.get(id, async () => undefined);
        if (found !== undefined) return await this.#writtenBack(found, at, fetch);
      }
      const record = await this.#truth.get(id);
      if (record !== undefined) return await this.#writtenBack(record, this.#faster.length, fetch);
      for (const layer of this.#faster) layer.forget(id);
      return undefined;
    } finally {
      this.#fetches.end(id, fetch);
    }
  }

  /** The record when the layers before `end` have it, too, unless a write came between. */
  async #writtenBack(record: SessionRecord, end: number, fetch: Fetch): Promise<SessionRecord> {
    await this.#order.run(record.id, async () => {
      for (let at = 0; at < end && !fetch.isOld; at += 1) await this.#faster[at]?.put(record);
    });
    return record;
  }
}
