/**
 * Who looks after a store, one process at a time whatever the medium: the lease of a hidden record in the store itself.
 * It dies with its holder, at once on this machine and after a minute elsewhere. With it stands what rounds must know of
 * those before.
 */
import { isSidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import { Interval } from "../base/interval.ts";
import { isRecord } from "../base/json.ts";
import { isDead, isHeld, thisHolder } from "../session/holder.ts";
import { buriedAtMs, hiddenAs } from "../session/hidden.ts";
import { emptySession } from "../session/registry-options.ts";
import type { Lease, LeaseState, SessionRecord, Store } from "../store/contract.ts";
import { upkeepId } from "../store/keys-id.ts";

const ttlMs = 60_000;
const key = "acp-sidecar.upkeep";

/** How much there was, at some time. */
export interface Sample {
  readonly atMs: number;
  readonly sessions: number;
  readonly entries: number;
  readonly bytes: number;
}

/** What is known of earlier rounds. Plain JSON. */
export interface Known {
  /** When the last round began; 0 before the first. */
  readonly beganMs: number;
  /** One a day at most, the oldest first. */
  readonly samples: readonly Sample[];
  /** Steps that failed in the last round. */
  readonly failed: readonly string[];
  /** Archived sessions that could not be put into less room. */
  readonly unpacked: readonly SessionId[];
}

const nothing: Known = { beganMs: 0, samples: [], failed: [], unpacked: [] };

/** Undefined where somebody may not read the record, or it is not there. Errors: `STORE_…`. */
export async function knownOf(store: Store): Promise<Known> {
  return knownIn(await store.get(upkeepId));
}

function knownIn(record: SessionRecord | undefined): Known {
  const text = record?.metadata[key];
  if (typeof text !== "string") return nothing;
  try {
    const found: unknown = JSON.parse(text);
    return isRecord(found) ? { ...nothing, ...(found as Partial<Known>) } : nothing;
  } catch {
    return nothing;
  }
}

/** Who is at it now; undefined when nobody is. Errors: `STORE_…`. */
export async function whoIsAtIt(store: Store): Promise<LeaseState | undefined> {
  const lease = (await store.get(upkeepId))?.lease;
  return isHeld(lease) ? lease : undefined;
}

export class UpkeepLease {
  /** What was known when it was taken. */
  readonly known: Known;
  readonly #store: Store;
  readonly #renewing: Interval;
  #lease: Lease;
  #isLost = false;

  private constructor(store: Store, lease: Lease, known: Known) {
    this.#store = store;
    this.#lease = lease;
    this.known = known;
    this.#renewing = new Interval(ttlMs / 3, () => this.#renew());
  }

  /** Undefined while another process has it. Errors: `STORE_…`. */
  static async take(store: Store): Promise<UpkeepLease | undefined> {
    try {
      const record = (await store.get(upkeepId)) ?? (await made(store));
      const self = thisHolder();
      const mayTake = ({ holder }: LeaseState) => isDead(holder, self);
      const { lease } = await store.acquire(upkeepId, { holder: self, ttlMs, mayTake });
      return new UpkeepLease(store, lease, knownIn((await store.get(upkeepId)) ?? record));
    } catch (error) {
      // With row security it may be there for another role, who looks after the store then.
      if (isSidecarError(error, "SESSION_BUSY", "SESSION_EXISTS", "LEASE_LOST")) return undefined;
      throw error;
    }
  }

  /** Another process has taken over, because we were silent for too long: nothing more is to be done. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Errors: `LEASE_LOST`, `STORE_…`. */
  async note(known: Known): Promise<void> {
    await this.#store.update(upkeepId, { metadataChanges: { [key]: JSON.stringify(known) } }, this.#lease);
  }

  async release(): Promise<void> {
    await this.#renewing.close();
    if (!this.#isLost) await this.#store.release(this.#lease);
  }

  async #renew(): Promise<void> {
    try {
      this.#lease = await this.#store.renew(this.#lease);
    } catch (error) {
      // A store that does not answer has nobody else either.
      if (isSidecarError(error, "LEASE_LOST", "SESSION_NOT_FOUND")) this.#isLost = true;
    }
  }
}

function made(store: Store): Promise<SessionRecord> {
  const metadata = hiddenAs("deleted");
  return store.create({
    ...emptySession,
    id: upkeepId,
    createdAtMs: Date.now(),
    updatedAtMs: buriedAtMs,
    cwd: "/",
    metadata,
  });
}
