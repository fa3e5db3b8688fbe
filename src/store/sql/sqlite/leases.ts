/** Leases: taking, renewing, giving back. */
import type { Database, Statement } from "./engine.ts";
import type { SessionId } from "../../../base/ids.ts";
import { sessionBusy } from "../../refusals.ts";
import type { Acquired, Lease, LeaseRequest } from "../../contract.ts";
import { leaseIn, type Sessions } from "./sessions.ts";

export class Leases {
  readonly #sessions: Sessions;
  readonly #take: Statement<[number, string, number, number, number]>;
  readonly #hold: Statement<[string, number]>;
  readonly #free: Statement<[string, number]>;

  constructor(db: Database, sessions: Sessions) {
    this.#sessions = sessions;
    this.#take = db.prepare(
      `UPDATE sessions SET fence = ?, holder = ?, since_ms = ?, expires_at_ms = ?, turn_running = 0 WHERE no = ?`,
    );
    this.#hold = db.prepare("UPDATE sessions SET holder = ? WHERE no = ?");
    // The fence moves on, so that a write has nothing but the fence to check.
    this.#free = db.prepare(
      "UPDATE sessions SET fence = fence + 1, holder = NULL, turn_running = 0 WHERE id = ? AND fence = ?",
    );
  }

  acquire(id: SessionId, { holder, ttlMs, mayTake }: LeaseRequest): Acquired {
    const row = this.#sessions.existing(id);
    const previous = leaseIn(row);
    const sinceMs = Date.now();
    const expired = previous === undefined || previous.expiresAtMs <= sinceMs;
    // mayTake is handed a copy of its own, for what it does to it must not reach a refusal.
    if (!expired && !mayTake(leaseIn(row) ?? previous)) throw sessionBusy(id, previous);
    const expiresAtMs = sinceMs + ttlMs;
    const fence = row.fence + 1;
    const kept = JSON.stringify(holder);
    this.#take.run(fence, kept, sinceMs, expiresAtMs, row.no);
    const state = { holder: JSON.parse(kept) as Lease["holder"], fence, sinceMs, expiresAtMs };
    const lease = { ...state, turnRunning: false, sessionId: id, ttlMs };
    return previous === undefined ? { lease } : { lease, previous };
  }

  renew(lease: Lease): Lease {
    const row = this.#sessions.leased(lease.sessionId, lease);
    const holder = JSON.stringify(lease.holder);
    this.#hold.run(holder, row.no);
    const expiresAtMs = this.#sessions.extend(row, lease);
    const { sessionId, fence, ttlMs, turnRunning } = lease;
    const state = { holder: JSON.parse(holder) as Lease["holder"], fence, sinceMs: row.since_ms };
    return { ...state, expiresAtMs, turnRunning, sessionId, ttlMs };
  }

  release(lease: Lease): void {
    this.#free.run(lease.sessionId, lease.fence);
  }
}
