/**
 * The trash: sessions that were deleted and can be brought back. They stand in the store as hidden records, whole, with
 * what the contract's metadata can carry: when they went, and when they were last in use before.
 */
import type { Ended } from "../audit/audit.ts";
import { isSidecarError } from "../base/errors.ts";
import { isSessionId, type SessionId } from "../base/ids.ts";
import type { LeaseState, Metadata, SessionPatch, SessionRecord } from "../store/contract.ts";
import { resolveAddress, type Addressed } from "./address.ts";
import { decideUnused } from "./brief-hold.ts";
import type { Parts } from "./creation.ts";
import { buriedAtMs, hiddenAs, shown, whyHidden } from "./hidden.ts";
import { isDead, thisHolder } from "./holder.ts";
import { NextLook } from "./next-look.ts";
import { everySession } from "./pages.ts";

/** A session as it was, and when it went. */
export interface Trashed {
  readonly record: SessionRecord;
  readonly trashedAtMs: number;
}

/** Told of each that has gone; awaited. What it throws ends the work between two of them. */
export type OnGone = () => void | Promise<void>;

const trashedKey = "acp-sidecar.trashedAtMs";
const activeKey = "acp-sidecar.activeAtMs";

/** What puts a session into the trash. */
export function intoTrash({ metadata, updatedAtMs }: SessionRecord, nowMs: number): SessionPatch {
  const marks = { ...hiddenAs("trashed"), [trashedKey]: nowMs, [activeKey]: updatedAtMs };
  return { metadata: { ...metadata, ...marks }, updatedAtMs: buriedAtMs };
}

function trashedOf(record: SessionRecord): Trashed | undefined {
  if (whyHidden(record) !== "trashed") return undefined;
  const { [trashedKey]: trashedAtMs, [activeKey]: activeAtMs, ...metadata } = record.metadata;
  return {
    record: { ...record, metadata: shown(metadata), updatedAtMs: timeIn(activeAtMs) },
    trashedAtMs: timeIn(trashedAtMs),
  };
}

function timeIn(value: Metadata[string] | undefined): number {
  return typeof value === "number" ? value : 0;
}

interface Times {
  readonly leaseTtlMs: number;
  readonly retentionMs?: number;
}

/** What is to stay is nothing that was done: see `Audit.around`. */
export function doneIfGone(gone: SessionRecord | undefined): Ended | undefined {
  return gone === undefined ? undefined : {};
}

export class Trash {
  readonly #parts: Parts;
  readonly #times: Times;
  readonly #nextLook = new NextLook();

  constructor(parts: Parts, times: Times) {
    this.#parts = parts;
    this.#times = times;
  }

  count(): Promise<number> {
    return this.#parts.store.count({ metadata: hiddenAs("trashed") });
  }

  /** What went last comes first; 50 unless told. */
  async list(most = 50): Promise<readonly Trashed[]> {
    let newest: Trashed[] = [];
    const prune = () => {
      newest = newest.sort((a, b) => b.trashedAtMs - a.trashedAtMs).slice(0, most);
    };
    for await (const each of this.#since()) {
      newest.push(each);
      if (newest.length > most * 2 + 100) prune();
    }
    prune();
    return newest;
  }

  /** The session as it is kept in the trash. */
  async find(id: string): Promise<SessionRecord | undefined> {
    const record = isSessionId(id) ? await this.#parts.store.get(id) : undefined;
    return record !== undefined && whyHidden(record) === "trashed" ? record : undefined;
  }

  /** The session of the trash that a person means; `last` is the one that went last. Errors: as `SessionRegistry.resolve`. */
  resolve(address: string): Promise<Addressed> {
    const { store } = this.#parts;
    const metadata = hiddenAs("trashed");
    return resolveAddress(address, {
      get: (id) => this.find(id),
      list: (query) => store.list({ ...query, metadata }),
      newest: async (most) => (await this.list(most)).map(({ record }) => record),
      place: "in the trash",
      seen: "acp-sidecar sessions ls --trash",
    });
  }

  /** Every one that has been in the trash for so long. */
  async *older(forMs: number): AsyncGenerator<Trashed> {
    const beforeMs = this.#parts.now() - forMs;
    for await (const each of this.#since()) if (each.trashedAtMs <= beforeMs) yield each;
  }

  /**
   * Brings a session back as it was. Undefined if it is not in the trash. One that would be deleted again for its age
   * counts as in use now. Errors: `SESSION_BUSY`, `STORE_…`.
   */
  async restore(id: SessionId): Promise<SessionRecord | undefined> {
    const { store, events, now } = this.#parts;
    const record = await this.#decide(id, {
      isToGo: () => true,
      becomes: ({ record: { metadata, updatedAtMs } }) => {
        const isTooOld = updatedAtMs < now() - (this.#times.retentionMs ?? Infinity);
        return { metadata, updatedAtMs: isTooOld ? now() : updatedAtMs };
      },
    });
    if (record === undefined) return undefined;
    await store.flush();
    events.tell("restore", () => ({ record }));
    return record;
  }

  /** Deletes for good what has been in the trash for so long. Returns how many. */
  async empty({ forMs }: { readonly forMs: number }, onGone: OnGone = () => undefined): Promise<number> {
    const beforeMs = this.#parts.now() - forMs;
    let deleted = 0;
    let oldestMs = Infinity;
    for await (const { record, trashedAtMs } of this.#since()) {
      const isDue = trashedAtMs <= beforeMs;
      if (isDue && (await this.#delete(record.id, beforeMs))) {
        deleted += 1;
        await onGone();
      } else oldestMs = Math.min(oldestMs, trashedAtMs);
    }
    this.#nextLook.after(this.#parts.now(), oldestMs, forMs);
    return deleted;
  }

  /** The same in rounds: the trash is looked through only when something in it may be due. */
  async round(forMs: number): Promise<number> {
    return this.#nextLook.isDue(this.#parts.now()) ? this.empty({ forMs }) : 0;
  }

  async *#since(): AsyncGenerator<Trashed> {
    const { store, passOver } = this.#parts;
    for await (const record of everySession(store, { metadata: hiddenAs("trashed") }, passOver)) {
      const trashed = trashedOf(record);
      if (trashed !== undefined) yield trashed;
    }
  }

  async #delete(id: SessionId, beforeMs: number): Promise<boolean> {
    try {
      const isToGo = ({ trashedAtMs }: Trashed) => trashedAtMs <= beforeMs;
      const deed = {
        what: "session.delete",
        session: id,
        isTried: true,
        facts: { fromTrash: true },
      } as const;
      const gone = await this.#parts.audit.around(deed, () => this.#decide(id, { isToGo }), doneIfGone);
      if (gone !== undefined) await this.#parts.originals.goWith(gone);
      return gone !== undefined;
    } catch (error) {
      // Somebody is bringing it back, or deletes it, too.
      if (isSidecarError(error, "SESSION_BUSY", "LEASE_LOST")) return false;
      throw error;
    }
  }

  /** Looked at and decided in one step, so that what is brought back is not deleted. */
  #decide(
    id: SessionId,
    {
      isToGo,
      becomes,
    }: { isToGo: (trashed: Trashed) => boolean; becomes?: (trashed: Trashed) => SessionPatch },
  ): Promise<SessionRecord | undefined> {
    const self = thisHolder();
    return decideUnused(this.#parts.store, id, {
      leaseTtlMs: this.#times.leaseTtlMs,
      mayTake: ({ holder }: LeaseState) => isDead(holder, self),
      isToGo: (record) => {
        const trashed = trashedOf(record);
        return trashed !== undefined && isToGo(trashed);
      },
      becomes: (record) => {
        const trashed = trashedOf(record);
        return trashed && becomes?.(trashed);
      },
    });
  }
}
