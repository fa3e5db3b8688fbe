/** How sessions go: one that is named, those of a certain age, all that match. */
import { isSidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Durability } from "../config/config.ts";
import type { LeaseState, SessionFilter, SessionRecord, Store } from "../store/contract.ts";
import { deleteUnused } from "./brief-hold.ts";
import type { Events } from "./events.ts";
import { filtersOf } from "./folders.ts";
import { withoutTombstones } from "./hidden.ts";
import { isDead, mayTake, thisHolder } from "./holder.ts";
import type { LiveSet } from "./live.ts";
import { everySession } from "./pages.ts";

export interface RemovalOptions {
  readonly store: Store;
  readonly live: LiveSet;
  readonly events: Events;
  readonly now: () => number;
  readonly durability: Durability;
  readonly leaseTtlMs: number;
}

export class Removal {
  readonly #options: RemovalOptions;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /** True if it was there. On return it will not come back after a power cut either, unless durability is `none`. */
  async delete(id: SessionId): Promise<boolean> {
    return this.#gone(id, await this.#options.store.delete(id));
  }

  /** The same for a session that is in no turn: taken first, so that none begins meanwhile. Errors: `SESSION_BUSY`. */
  async unused(id: SessionId): Promise<boolean> {
    const { store, leaseTtlMs } = this.#options;
    const taking = { leaseTtlMs, mayTake: mayTake("idle", thisHolder()) };
    return this.#gone(id, await deleteUnused(store, id, taking));
  }

  /** Deletes every session without activity for so long that nobody holds. Returns how many. */
  expire(idleForMs: number): Promise<number> {
    const { store, live, events, now, leaseTtlMs } = this.#options;
    const updatedBeforeMs = now() - idleForMs;
    const self = thisHolder();
    const mayTake = ({ holder }: LeaseState) => isDead(holder, self);
    return this.#matching({ updatedBeforeMs }, async ({ id }) => {
      // The page may be old by now, and the session in use again.
      const isToGo = (record: SessionRecord) => record.updatedAtMs < updatedBeforeMs && !live.has(id);
      try {
        if (live.has(id) || !(await deleteUnused(store, id, { leaseTtlMs, mayTake, isToGo }))) return false;
      } catch (error) {
        if (isSidecarError(error, "SESSION_BUSY", "LEASE_LOST")) return false;
        throw error;
      }
      events.tell("expire", () => ({ id }));
      return true;
    });
  }

  /** Deletes all that match. Returns how many. */
  async clear(filter: SessionFilter): Promise<number> {
    let cleared = 0;
    for (const each of filtersOf(filter)) cleared += await this.#matching(each, ({ id }) => this.delete(id));
    return cleared;
  }

  /** What was written before is as safe as durability promises at the end of a turn. */
  async settle(): Promise<void> {
    if (this.#options.durability !== "none") await this.#options.store.flush();
  }

  async #gone(id: SessionId, wasThere: boolean): Promise<boolean> {
    await this.settle();
    this.#options.live.remove(id);
    if (wasThere) this.#options.events.tell("end", () => ({ id }));
    return wasThere;
  }

  /**
   * Hands every session that `filter` matches to `remove`, and counts those that it says it removed. Tombstones stay:
   * without them a deleted session would come back.
   */
  async #matching(
    filter: SessionFilter,
    remove: (record: SessionRecord) => Promise<boolean>,
  ): Promise<number> {
    let removed = 0;
    for await (const record of everySession(this.#options.store, withoutTombstones(filter)))
      if (await remove(record)) removed += 1;
    return removed;
  }
}
