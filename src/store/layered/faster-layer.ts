/** One faster layer: the copies in it, and what is known of them. Its failures stay here, counted. */
import { isDeepStrictEqual } from "node:util";
import { LRUCache } from "lru-cache";
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Entry, Lease, NewEntry, SealRange, SessionPatch, SessionRecord, Store } from "../contract.ts";
import { asTruth, factsOf, newCopy, rightThrough, truthOf, type Copy } from "./copy.ts";
import { Health, isOfOneSession } from "./health.ts";

/** Copies that are known at once; what is forgotten is copied anew when it is asked for. */
const maxKnown = 10_000;
/** Writes need a lease, and only this store writes to the copies: it is ours until we take it again, also when it has run out. */
const copyLeaseMs = 0;

interface FasterLayerOptions {
  readonly truth: Store;
  readonly freshForMs: number;
  readonly retryMs: number;
}

export class FasterLayer {
  readonly store: Store;
  readonly #health: Health;
  #hits = 0;
  #misses = 0;
  #writeBacks = 0;
  readonly #truth: Store;
  readonly #freshForMs: number;
  readonly #known = new LRUCache<SessionId, Copy>({ max: maxKnown });

  constructor(store: Store, { truth, freshForMs, retryMs }: FasterLayerOptions) {
    this.store = store;
    this.#health = new Health(retryMs);
    this.#truth = truth;
    this.#freshForMs = freshForMs;
  }

  /**
   * The session's record if the layer has it, and it is what the truth would say.
   * @param orElse asked when the layer cannot tell; here, so that a hit waits for nothing more
   */
  async get(
    id: SessionId,
    orElse: () => Promise<SessionRecord | undefined>,
  ): Promise<SessionRecord | undefined> {
    const copy = this.#known.get(id);
    if (copy?.truth !== undefined && this.#isFresh(copy) && this.#health.isUp) {
      const { truth } = copy;
      try {
        const kept = await this.store.get(id);
        if (kept !== undefined) {
          this.#hits += 1;
          return asTruth(copy, kept, truth);
        }
        this.#known.delete(id);
      } catch (error) {
        this.failed(id, error);
      }
    }
    this.#misses += 1;
    return orElse();
  }

  /** Takes in what the truth says now, and makes a copy where there is none. */
  put(record: SessionRecord): Promise<void> {
    const { id } = record;
    const copy = this.#known.get(id);
    return this.#attempt(id, () => (copy === undefined ? this.#create(record) : this.#confirm(copy, record)));
  }

  /** A patch that the truth has taken; `record` is what came of it. */
  updated(record: SessionRecord, patch: SessionPatch): Promise<void> {
    const { id } = record;
    return this.#on(id, async (copy) => {
      copy.truth = undefined;
      await this.store.update(id, patch);
      copy.truth = truthOf(record);
      copy.confirmedAtMs = performance.now();
    });
  }

  /** Entries that the truth has taken behind `after`. */
  appended(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<void> {
    return this.#on(id, async (copy) => {
      copy.truth = undefined;
      if (copy.isFull || copy.through !== after) return;
      await this.#append(id, copy, entries);
      const isFirst = copy.finalThrough === after;
      copy.tailFence = isFirst || copy.tailFence === lease.fence ? lease.fence : undefined;
    });
  }

  sealed(id: SessionId, range: SealRange, entries: readonly NewEntry[]): Promise<void> {
    return this.#on(id, async (copy) => {
      copy.truth = undefined;
      const { through } = copy;
      const hasAll = through === range.head || through === range.from - 1;
      if (copy.isFull || !hasAll) return this.#cutTail(id, copy);
      copy.lease ??= await this.#acquire(id);
      copy.through = await this.store.seal(id, { from: range.from, head: through }, entries, copy.lease);
      copy.finalThrough = copy.through;
    });
  }

  /** What has changed only the truth can tell. */
  invalidate(id: SessionId): void {
    const copy = this.#known.get(id);
    if (copy !== undefined) copy.truth = undefined;
  }

  figures(): Readonly<Record<string, number | string>> {
    const { isUp, failures, lastFailure } = this.#health;
    const calls = { hits: this.#hits, misses: this.#misses, writeBacks: this.#writeBacks };
    const figures = { state: isUp ? "up" : "down", ...calls, failures };
    return lastFailure === undefined ? figures : { ...figures, lastFailure };
  }

  forget(id: SessionId): void {
    this.#known.delete(id);
  }

  /** Final entries of a session are others now. Its forks share them, and which those are is not known here. */
  rewritten(): void {
    this.#known.clear();
  }

  async deleted(id: SessionId): Promise<void> {
    this.#known.delete(id);
    await this.#attempt(id, () => this.store.delete(id));
  }

  /** Up to where entries may be read here. */
  readableThrough(record: SessionRecord): number {
    const copy = this.#known.get(record.id);
    return copy === undefined || !this.#health.isUp ? 0 : rightThrough(copy, record, this.#isShared);
  }

  /** Whether the copy goes on with these entries. */
  wants(id: SessionId, page: readonly Entry[]): boolean {
    const copy = this.#known.get(id);
    if (copy === undefined || copy.isFull || copy.through !== copy.finalThrough) return false;
    return page[0]?.seq === copy.through + 1;
  }

  /** Final entries that were read from a slower layer. */
  fill(id: SessionId, page: readonly Entry[]): Promise<void> {
    return this.#on(id, async (copy) => {
      if (!this.wants(id, page)) return;
      await this.#append(id, copy, page);
      copy.finalThrough = copy.through;
    });
  }

  async #append(id: SessionId, copy: Copy, entries: readonly NewEntry[]): Promise<void> {
    copy.lease ??= await this.#acquire(id);
    try {
      copy.through = await this.store.append(id, copy.through, entries, copy.lease);
    } catch (error) {
      if (!isSidecarError(error, "STORE_FULL")) throw error;
      copy.isFull = true;
    }
  }

  /** Whether the copy is one of this very session and differs at most in what the truth tells anyway. */
  async #stillFits(copy: Copy, record: SessionRecord): Promise<boolean> {
    const kept = await this.store.get(record.id);
    if (kept === undefined || copy.finalThrough > record.sealedSeq) return false;
    if (this.#isShared) {
      const asNow = { ...factsOf(kept), updatedAtMs: record.updatedAtMs };
      if (!isDeepStrictEqual(asNow, { ...factsOf(record) })) return false;
    }
    if (rightThrough(copy, record, this.#isShared) < copy.through) await this.#cutTail(record.id, copy);
    return true;
  }

  /** Takes back entries that the truth may have replaced. */
  async #cutTail(id: SessionId, copy: Copy): Promise<void> {
    if (copy.through === copy.finalThrough) return;
    copy.lease ??= await this.#acquire(id);
    const range = { from: copy.finalThrough + 1, head: copy.through };
    copy.through = await this.store.seal(id, range, [], copy.lease);
    copy.tailFence = undefined;
  }

  async #confirm(copy: Copy, record: SessionRecord): Promise<void> {
    if (await this.#stillFits(copy, record)) {
      copy.truth = truthOf(record);
      copy.confirmedAtMs = performance.now();
      return;
    }
    this.#known.delete(record.id);
    await this.#create(record);
  }

  /** In the place of a copy that nothing is known of any more. */
  async #create(record: SessionRecord): Promise<void> {
    const facts = factsOf(record);
    try {
      await this.store.create(facts);
    } catch (error) {
      if (!isSidecarError(error, "SESSION_EXISTS")) throw error;
      await this.store.delete(facts.id);
      await this.store.create(facts);
    }
    this.#known.set(facts.id, newCopy(record, performance.now()));
    this.#writeBacks += 1;
  }

  async #acquire(id: SessionId): Promise<Lease> {
    const holder = { host: "", pid: process.pid, startedAt: "" };
    const { lease } = await this.store.acquire(id, { holder, ttlMs: copyLeaseMs, mayTake: () => true });
    return lease;
  }

  #on(id: SessionId, act: (copy: Copy) => Promise<void>): Promise<void> {
    const copy = this.#known.get(id);
    return copy === undefined ? Promise.resolve() : this.#attempt(id, () => act(copy));
  }

  async #attempt(id: SessionId, act: () => Promise<unknown>): Promise<void> {
    if (!this.#health.isUp) {
      this.#known.delete(id);
      return;
    }
    try {
      await act();
      this.#health.succeeded();
    } catch (error) {
      this.failed(id, error);
    }
  }

  /** A call to the layer failed, ours or a reader's. */
  failed(id: SessionId, error: unknown): void {
    this.#known.delete(id);
    if (isOfOneSession(error)) return;
    // It may miss writes from now on: when it is back, none of what it has is believed.
    this.#known.clear();
    this.#health.failed(error);
  }

  /** Asked each time: a store that opens on first use knows it only then. */
  get #isShared(): boolean {
    return this.#truth.capabilities.shared;
  }

  #isFresh({ confirmedAtMs }: Copy): boolean {
    return !this.#isShared || performance.now() - confirmedAtMs < this.#freshForMs;
  }
}
