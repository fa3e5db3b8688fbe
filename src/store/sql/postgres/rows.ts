/** Rows as the statements give them, and what they stand for. */
import type { SessionId } from "../../../base/ids.ts";
import { toRecord } from "../../facts.ts";
import { leaseLost, sessionNotFound } from "../../refusals.ts";
import type { Holder, Lease, LeaseState, SessionRecord } from "../../contract.ts";
import type { Session } from "./database.ts";
import type { Statements } from "./statements.ts";

export interface RecordRow {
  readonly facts: string;
  readonly id: SessionId;
  readonly journal_id: number;
  readonly updated_at_ms: number;
  readonly head_seq: number;
  readonly sealed_seq: number;
  readonly last_write: string;
  readonly fence: number;
  readonly holder: string | null;
  readonly since_ms: number | null;
  readonly expires_at_ms: number | null;
  readonly turn_running: boolean | null;
}

export interface LockedRow extends RecordRow {
  /** The server's time. */
  readonly now_ms: number;
}

export function leaseOf(row: RecordRow): LeaseState | undefined {
  if (row.holder === null) return undefined;
  return {
    holder: JSON.parse(row.holder) as Holder,
    fence: row.fence,
    sinceMs: row.since_ms ?? 0,
    expiresAtMs: row.expires_at_ms ?? 0,
    turnRunning: row.turn_running ?? false,
  };
}

export function recordOf(row: RecordRow): SessionRecord {
  return toRecord(row.facts, {
    updatedAtMs: row.updated_at_ms,
    headSeq: row.head_seq,
    sealedSeq: row.sealed_seq,
    lease: leaseOf(row),
  });
}

/** Errors: `SESSION_NOT_FOUND`. */
export async function lockRow(session: Session, sql: Statements, id: SessionId): Promise<LockedRow> {
  const [row] = await session.rows<LockedRow>(sql.lock, [id]);
  if (row === undefined) throw sessionNotFound(id);
  return row;
}

/** Errors: `LEASE_LOST` unless `lease` is the one that the row tells of. */
export function assertHeld(row: RecordRow, id: SessionId, lease: Lease): void {
  const held = row.holder !== null && row.fence === lease.fence && lease.sessionId === id;
  if (!held) throw leaseLost(id, leaseOf(row));
}

/** The parameters that every statement under a lease begins with. */
export function underLease(id: SessionId, lease: Lease): readonly unknown[] {
  return [id, lease.fence, lease.turnRunning, lease.ttlMs];
}
