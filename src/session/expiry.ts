/** The end of sessions that nobody uses: idle ones are no longer live, old ones are deleted. */
import { everySession } from "./pages.ts";
import { isSidecarError, reasonOf } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import { Interval } from "../base/interval.ts";
import type { Logger } from "../base/log.ts";
import type { LeaseState, SessionFilter, SessionRecord, Store } from "../store/contract.ts";
import { deleteUnused } from "./brief-hold.ts";
import type { Events } from "./events.ts";
import { isDead, thisHolder } from "./holder.ts";
import { withoutTombstones } from "./hidden.ts";
import type { LiveSet } from "./live.ts";

export interface ExpiryOptions {
  readonly store: Store;
  readonly live: LiveSet;
  readonly events: Events;
  readonly log: Logger;
  readonly now: () => number;
  readonly leaseTtlMs: number;
  readonly idleTimeoutMs: number;
  readonly retentionMs: number | undefined;
}

export class Expiry {
  readonly #options: ExpiryOptions;
  #rounds: Interval | undefined;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  start(intervalMs: number): void {
    this.#rounds ??= new Interval(intervalMs, () => this.sweep());
  }

  async stop(): Promise<void> {
    await this.#rounds?.close();
  }

  /** One round. Failures are logged. */
  async sweep(): Promise<void> {
    const { retentionMs, log } = this.#options;
    try {
      const idle = await this.#detachIdle();
      const expired = retentionMs === undefined ? 0 : await this.expire(retentionMs);
      if (idle + expired > 0) log.info({ idle, expired }, "swept sessions");
    } catch (error) {
      log.error({ error: reasonOf(error) }, "sweeping sessions failed");
    }
  }

  /** Deletes every session without activity for so long that nobody holds. Returns how many. */
  expire(idleForMs: number): Promise<number> {
    const { store, live, events, now, leaseTtlMs } = this.#options;
    const updatedBeforeMs = now() - idleForMs;
    const self = thisHolder();
    const mayTake = ({ holder }: LeaseState) => isDead(holder, self);
    return deleteMatching(store, { updatedBeforeMs }, async ({ id }) => {
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

  /** Returns how many sessions are no longer live. A hook that finds one busy touches it: then it stays. */
  async #detachIdle(): Promise<number> {
    const { live, events, log, now, idleTimeoutMs } = this.#options;
    const beforeMs = now() - idleTimeoutMs;
    const idle = live.idleSince(beforeMs);
    for (const id of idle) {
      try {
        await events.ask("idle", { id });
        if (live.isIdleSince(id, beforeMs)) live.remove(id);
      } catch (error) {
        log.error({ sessionId: id, error: reasonOf(error) }, "an idle session could not be let go");
      }
    }
    return idle.filter((id: SessionId) => !live.has(id)).length;
  }
}

/**
 * Hands every session that `filter` matches to `remove`, and counts those that it says it removed. Tombstones stay:
 * without them a deleted session would come back.
 */
export async function deleteMatching(
  store: Store,
  filter: SessionFilter,
  remove: (record: SessionRecord) => Promise<boolean>,
): Promise<number> {
  let removed = 0;
  for await (const record of everySession(store, withoutTombstones(filter)))
    if (await remove(record)) removed += 1;
  return removed;
}
