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
import { sessionNotFound, storeClosed } from "../refusals.ts";
import type {
  Acquired,
  Entry,
  EntryRange,
  Lease,
  LeaseRequest,
  NewEntry,
  NewSession,
  Page,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  Store,
  StoreCapabilities,
  StoreStats,
} from "../contract.ts";
import { FasterLayer } from "./faster-layer.ts";
import { figuresOf } from "./figures.ts";
import { InOrder } from "./in-order.ts";
import { readLayers } from "./reading.ts";

export interface LayeredStoreOptions {
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
  const truth = layers.at(-1);
  if (truth === undefined || layers.length < 2) {
    throw new SidecarError("CONFIG_INVALID", "A layered store needs two or more layers, the fastest first");
  }
  const options = { truth, freshForMs, retryMs };
  return new LayeredStore(
    layers.slice(0, -1).map((layer) => new FasterLayer(layer, options)),
    truth,
  );
}

class LayeredStore implements Store {
  readonly name = "layered";
  readonly #faster: readonly FasterLayer[];
  readonly #truth: Store;
  readonly #order = new InOrder();
  #closed = false;

  constructor(faster: readonly FasterLayer[], truth: Store) {
    this.#faster = faster;
    this.#truth = truth;
  }

  get capabilities(): StoreCapabilities {
    return this.#truth.capabilities;
  }

  async create(session: NewSession): Promise<SessionRecord> {
    return this.#write(
      session.id,
      () => this.#truth.create(session),
      (layer, record) => layer.put(record),
    );
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    this.#assertOpen();
    if (this.#order.isBusy(id)) await this.#order.settled(id);
    let passed = 0;
    for (const layer of this.#faster) {
      const record = await layer.get(id);
      if (record !== undefined) {
        if (passed > 0) await this.#writeBack(record, passed);
        return record;
      }
      passed += 1;
    }
    return this.#fetch(id);
  }

  async update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord> {
    return this.#write(
      id,
      () => this.#truth.update(id, patch, lease),
      (layer, record) => layer.updated(record, patch),
    );
  }

  async delete(id: SessionId): Promise<boolean> {
    return this.#write(
      id,
      () => this.#truth.delete(id),
      (layer) => layer.deleted(id),
    );
  }

  async list(query?: SessionQuery): Promise<Page<SessionRecord>> {
    this.#assertOpen();
    return this.#truth.list(query);
  }

  async count(filter?: SessionFilter): Promise<number> {
    this.#assertOpen();
    return this.#truth.count(filter);
  }

  async append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    return this.#write(
      id,
      () => this.#truth.append(id, after, entries, lease),
      (layer) => layer.appended(id, after, entries, lease),
    );
  }

  async seal(
    id: SessionId,
    range: { readonly from: number; readonly head: number },
    entries: readonly NewEntry[],
    lease: Lease,
  ): Promise<number> {
    return this.#write(
      id,
      () => this.#truth.seal(id, range, entries, lease),
      (layer) => layer.sealed(id, range, entries),
    );
  }

  async *read(id: SessionId, range: EntryRange = {}): AsyncGenerator<readonly Entry[]> {
    this.#assertOpen();
    const record = await this.get(id);
    if (record === undefined) throw sessionNotFound(id);
    const places = { faster: this.#faster, truth: this.#truth, order: this.#order };
    for await (const page of readLayers(places, record, range)) {
      this.#assertOpen();
      yield page;
      this.#assertOpen();
    }
  }

  async acquire(id: SessionId, request: LeaseRequest): Promise<Acquired> {
    return this.#write(id, () => this.#truth.acquire(id, request), stir(id));
  }

  async renew(lease: Lease): Promise<Lease> {
    return this.#write(lease.sessionId, () => this.#truth.renew(lease), stir(lease.sessionId));
  }

  async release(lease: Lease): Promise<void> {
    return this.#write(lease.sessionId, () => this.#truth.release(lease), stir(lease.sessionId));
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    return this.#truth.flush();
  }

  async stats(): Promise<StoreStats> {
    this.#assertOpen();
    return figuresOf(await this.#truth.stats(), this.#faster);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#faster.map(({ store }) => store), this.#truth];
    const ended = await Promise.allSettled(all.map((store) => store.close()));
    for (const each of ended) if (each.status === "rejected") throw each.reason;
  }

  /** First the truth; what it refuses, or leaves open, leaves no copy believed. */
  #write<T>(
    id: SessionId,
    act: () => Promise<T>,
    follow: (layer: FasterLayer, result: T) => Promise<void>,
  ): Promise<T> {
    this.#assertOpen();
    return this.#order.write(id, async () => {
      this.#assertOpen();
      let result: T;
      try {
        result = await act();
      } catch (error) {
        for (const layer of this.#faster) layer.forget(id);
        throw error;
      }
      for (const layer of this.#faster) await follow(layer, result);
      return result;
    });
  }

  /** From the truth, and back into the faster layers. */
  async #fetch(id: SessionId): Promise<SessionRecord | undefined> {
    const fetch = this.#order.begin(id);
    try {
      const record = await this.#truth.get(id);
      if (record !== undefined) await this.#writeBack(record, this.#faster.length, () => !fetch.void);
      else for (const layer of this.#faster) layer.forget(id);
      return record;
    } finally {
      this.#order.end(id, fetch);
    }
  }

  /** Into the layers before `end`, unless a write came between. */
  #writeBack(record: SessionRecord, end: number, isStill = () => true): Promise<void> {
    return this.#order.run(record.id, async () => {
      for (let at = 0; at < end && isStill(); at += 1) await this.#faster[at]?.put(record);
    });
  }

  #assertOpen(): void {
    if (this.#closed) throw storeClosed(this.name);
  }
}

function stir(id: SessionId): (layer: FasterLayer) => Promise<void> {
  return async (layer) => layer.stirred(id);
}
