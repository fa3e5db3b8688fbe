/** Leases: who may write, by the server's clock. */
import type { SessionId } from "../../../base/ids.ts";
import { leaseLost, sessionBusy, sessionNotFound } from "../../refusals.ts";
import type { Acquired, Lease, LeaseRequest, LeaseState } from "../../contract.ts";
import type { Database } from "./database.ts";
import { leaseOf, lockRow, underLease, type LockedRow, type RecordRow } from "./rows.ts";
import type { Statements } from "./statements.ts";

/** Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`. */
export function acquireLease(
  database: Database,
  sql: Statements,
  id: SessionId,
  request: LeaseRequest,
  writeId: string,
): Promise<Acquired> {
  /** What an earlier try saw: a second one that finds the first took effect would see only itself. */
  let seen: LeaseState | undefined;
  return database.transaction(async (session, { uncertain }) => {
    const row = await lockRow(session, sql, id);
    const current = leaseOf(row);
    if (uncertain && row.last_write === writeId && current !== undefined) {
      return acquired({ ...current, sessionId: id, ttlMs: request.ttlMs }, seen);
    }
    seen = current;
    const running = current !== undefined && current.expiresAtMs > row.now_ms ? current : undefined;
    if (running !== undefined && !request.mayTake(running)) throw sessionBusy(id, running);
    const lease = nextLease(row, request);
    const holder = JSON.stringify(lease.holder);
    await session.write(sql.acquire, [id, lease.fence, holder, lease.sinceMs, lease.expiresAtMs, writeId]);
    return acquired(lease, current);
  });
}

function nextLease(row: LockedRow, { holder, ttlMs }: LeaseRequest): Lease {
  const times = { sinceMs: row.now_ms, expiresAtMs: row.now_ms + ttlMs };
  return { sessionId: row.id, holder, fence: row.fence + 1, ...times, turnRunning: false, ttlMs };
}

function acquired(lease: Lease, previous: LeaseState | undefined): Acquired {
  return previous === undefined ? { lease } : { lease, previous };
}

/** Errors: `LEASE_LOST`, `SESSION_NOT_FOUND`. */
export function renewLease(database: Database, sql: Statements, lease: Lease): Promise<Lease> {
  const { sessionId, holder } = lease;
  const values = [...underLease(sessionId, lease), JSON.stringify(holder)];
  return database.statements(async (session) => {
    const [kept] = await session.rows<{ expires_at_ms: number; since_ms: number }>(sql.renew, values);
    if (kept !== undefined) return { ...lease, sinceMs: kept.since_ms, expiresAtMs: kept.expires_at_ms };
    const [row] = await session.rows<RecordRow>(sql.get, [sessionId]);
    if (row === undefined) throw sessionNotFound(sessionId);
    throw leaseLost(sessionId, leaseOf(row));
  });
}

export async function releaseLease(database: Database, sql: Statements, lease: Lease): Promise<void> {
  await database.statements((session) => session.write(sql.release, [lease.sessionId, lease.fence]));
}
