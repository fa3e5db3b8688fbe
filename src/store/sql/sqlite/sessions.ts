/** The `sessions` table: looking sessions up, and the refusals that a look at their row decides. */
import type { Database, Statement } from "./engine.ts";
import { SidecarError } from "../../../base/errors.ts";
import type { SessionId } from "../../../base/ids.ts";
import { wayOut } from "./errors.ts";
import { leaseLost, sessionNotFound } from "../../refusals.ts";
import type { Holder, Lease, LeaseState } from "../../contract.ts";
import type { SessionRow } from "./schema.ts";

const rememberedSessions = 4096;

/** A number stays right for ever, for none is used twice; the time is to be checked where it is used. */
export interface KnownSession {
  readonly no: number;
  updatedAtMs: number;
}

export class Sessions {
  readonly #select: Statement<[string], SessionRow>;
  readonly #extend: Statement<[number, number, number]>;
  readonly #known = new Map<SessionId, KnownSession>();

  constructor(db: Database) {
    this.#select = db.prepare("SELECT * FROM sessions WHERE id = ?");
    this.#extend = db.prepare("UPDATE sessions SET expires_at_ms = ?, turn_running = ? WHERE no = ?");
  }

  /** What an append needs to know, from memory if it was asked for before: it may have changed since. */
  knownOf(id: SessionId): KnownSession {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const { no, updated_at_ms: updatedAtMs } = this.existing(id);
    if (this.#known.size >= rememberedSessions) this.#known.clear();
    const found = { no, updatedAtMs };
    this.#known.set(id, found);
    return found;
  }

  forget(id: SessionId): void {
    this.#known.delete(id);
  }

  find(id: SessionId): SessionRow | undefined {
    return this.#select.get(id);
  }

  /** Errors: `SESSION_NOT_FOUND`. */
  existing(id: SessionId): SessionRow {
    const row = this.#select.get(id);
    if (row === undefined) throw sessionNotFound(id);
    return row;
  }

  /** Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`. */
  leased(id: SessionId, lease: Lease): SessionRow {
    const row = this.existing(id);
    if (row.fence !== lease.fence || lease.sessionId !== id) throw leaseLost(id, leaseIn(row));
    return row;
  }

  /** What every write does to the lease that it is made under. Returns the new expiry. */
  extend(row: SessionRow, lease: Lease): number {
    const expiresAtMs = Date.now() + lease.ttlMs;
    this.#extend.run(expiresAtMs, Number(lease.turnRunning), row.no);
    return expiresAtMs;
  }
}

/** Text of ours as it was stored; SQLite has no checksums, so that this may be where damage is met. */
export function storedJson(text: string, id: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SidecarError("STORE_CORRUPT", `The record of session ${id} is damaged; ${wayOut}`, {
      data: { sessionId: id },
      cause,
    });
  }
}

/** Who holds the session, whether or not the lease has run out. */
export function leaseIn(row: SessionRow): LeaseState | undefined {
  if (row.holder === null) return undefined;
  return {
    holder: storedJson(row.holder, row.id) as Holder,
    fence: row.fence,
    sinceMs: row.since_ms,
    expiresAtMs: row.expires_at_ms,
    turnRunning: row.turn_running === 1,
  };
}
