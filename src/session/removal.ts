/** How sessions go: into the trash or for good; one that is named, those of a certain age, all that match. */
import { isSidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Durability } from "../config/config.ts";
import type { LeaseState, SessionFilter, SessionPatch, SessionRecord } from "../store/contract.ts";
import { decideUnused } from "./brief-hold.ts";
import type { Parts } from "./creation.ts";
import { filtersOf } from "./folders.ts";
import { isGone, whyHidden, withoutGone } from "./hidden.ts";
import { isDead, isFree, mayTake, thisHolder } from "./holder.ts";
import { everySession } from "./pages.ts";
import { assertMayDelete, mayDelete } from "./sharing.ts";
import { doneIfGone, intoTrash, type OnGone } from "./trash.ts";

interface RemovalOptions extends Parts {
  readonly durability: Durability;
  readonly leaseTtlMs: number;
  /** For how long what is deleted can be brought back; 0: it is deleted for good. */
  readonly trashMs: number;
}

export class Removal {
  readonly #options: RemovalOptions;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /** For good, whoever holds it. True if it was there. On return it will not come back after a power cut either,
   * unless durability is `none`. */
  async delete(id: SessionId): Promise<boolean> {
    const { store, originals } = this.#options;
    return this.#ends(id, async () => {
      const mayHaveOriginals = await originals.mayBeOf(id);
      const wasThere = await store.delete(id);
      if (mayHaveOriginals) await originals.forget(id);
      return wasThere;
    });
  }

  /** Taken first, so that no turn begins meanwhile. Errors: `FORBIDDEN`; `SESSION_BUSY` in a turn, unless forced. */
  async remove(id: SessionId, force: boolean): Promise<boolean> {
    const { store, leaseTtlMs } = this.#options;
    await assertMayDelete(store, id);
    return this.#ends(id, async () => {
      const removed = await decideUnused(store, id, {
        leaseTtlMs,
        mayTake: mayTake(force ? "takeover" : "idle", thisHolder()),
        isToGo: (record) => !isGone(record),
        becomes: (record) => this.#becomes(record),
      });
      await this.#originalsGoWith(removed);
      return removed !== undefined;
    });
  }

  /** Every session without activity for so long that nobody holds. */
  async *aged(idleForMs: number): AsyncGenerator<SessionRecord> {
    const { store, live, now } = this.#options;
    const self = thisHolder();
    const filter = withoutGone({ updatedBeforeMs: now() - idleForMs });
    for await (const record of everySession(store, filter, this.#options.passOver))
      if (!live.has(record.id) && isFree(record.lease, self) && (await this.#mayGo(record.id))) yield record;
  }

  /** They go. Returns how many. */
  async expire(idleForMs: number, onGone: OnGone = () => undefined): Promise<number> {
    const { store, live, events, audit, now, leaseTtlMs } = this.#options;
    const updatedBeforeMs = now() - idleForMs;
    const self = thisHolder();
    const mayTake = ({ holder }: LeaseState) => isDead(holder, self);
    const becomes = (record: SessionRecord) => this.#becomes(record);
    return this.#matching({ updatedBeforeMs }, async ({ id }) => {
      // The page may be old by now, and the session in use again, or gone.
      const isToGo = (record: SessionRecord) =>
        record.updatedAtMs < updatedBeforeMs && !live.has(id) && !isGone(record);
      try {
        const decision = { leaseTtlMs, mayTake, isToGo, becomes };
        const decide = () => decideUnused(store, id, decision);
        const act = () => events.noted("expire", id, decide, (gone) => gone && { id });
        const deed = { what: "session.expire", session: id, isTried: true } as const;
        const isKept = live.has(id) || !(await this.#mayGo(id));
        const gone = isKept ? undefined : await audit.around(deed, act, doneIfGone);
        if (gone === undefined) return false;
        await this.#originalsGoWith(gone);
      } catch (error) {
        if (isSidecarError(error, "SESSION_BUSY", "LEASE_LOST")) return false;
        throw error;
      }
      await onGone();
      return true;
    });
  }

  /** Deletes for good all that match. Returns how many. */
  async clear(filter: SessionFilter): Promise<number> {
    let cleared = 0;
    const remove = async ({ id }: SessionRecord) => (await this.#mayGo(id)) && this.delete(id);
    for (const each of filtersOf(filter)) cleared += await this.#matching(each, remove);
    return cleared;
  }

  /** What was written before is as safe as durability promises at the end of a turn. */
  async settle(): Promise<void> {
    if (this.#options.durability !== "none") await this.#options.store.flush();
  }

  /** What others have lent us is not ours to clear away. */
  #mayGo(id: SessionId): Promise<boolean> {
    return mayDelete(this.#options.store, id);
  }

  /** What never was a session is not brought back. */
  #becomes(record: SessionRecord): SessionPatch | undefined {
    const { trashMs, now } = this.#options;
    return trashMs > 0 && whyHidden(record) === undefined ? intoTrash(record, now()) : undefined;
  }

  /** In the trash it still has what belongs to it. */
  async #originalsGoWith(removed: SessionRecord | undefined): Promise<void> {
    if (removed !== undefined && !isGone(removed)) await this.#options.originals.goWith(removed);
  }

  /** @param act true if it was there */
  #ends(id: SessionId, act: () => Promise<boolean>): Promise<boolean> {
    const gone = async () => {
      const wasThere = await act();
      await this.settle();
      this.#options.live.remove(id);
      return wasThere;
    };
    return this.#options.events.noted("end", id, gone, (wasThere) => (wasThere ? { id } : undefined));
  }

  /** Hands every session that `filter` matches to `remove`, and counts those that it says it removed. */
  async #matching(
    filter: SessionFilter,
    remove: (record: SessionRecord) => Promise<boolean>,
  ): Promise<number> {
    let removed = 0;
    const { store, passOver } = this.#options;
    for await (const record of everySession(store, withoutGone(filter), passOver))
      if (await remove(record)) removed += 1;
    return removed;
  }
}
