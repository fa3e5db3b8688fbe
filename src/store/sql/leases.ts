/** Leases: who may write. */
import type { SessionId } from "../../base/ids.ts";
import type { Acquired, Lease, LeaseRequest, LeaseState } from "../contract.ts";
import { leaseLost, sessionNotFound } from "../refusals.ts";
import { takeLease } from "../rules.ts";
import type { Attempt } from "../server/retry.ts";
import type { Dialect } from "./dialect.ts";
import { rows, write, type Operation, type Statement, type Value } from "./operation.ts";
import { leaseIn, type LockedRow, type SessionRow } from "./rows.ts";

/** Keeps the session's rows from being changed by others. Errors: `SESSION_NOT_FOUND`. */
export function* locked({ sql }: Dialect, id: SessionId): Operation<LockedRow> {
  const [row] = yield* rows<LockedRow>(sql.lock, id);
  if (row === undefined) throw sessionNotFound(id);
  return row;
}

/** The values that every statement under a lease begins with. */
export function underLease(id: SessionId, { fence, turnRunning, ttlMs }: Lease): readonly Value[] {
  return [id, fence, turnRunning, ttlMs];
}

/**
 * Carries out a statement that extends the lease, if it is held. Gives what became of it.
 * Errors: `LEASE_LOST`, `SESSION_NOT_FOUND`.
 */
export function* extendLease(
  { sql }: Dialect,
  statement: Statement,
  id: SessionId,
  lease: Lease,
  ...values: readonly Value[]
): Operation<Lease> {
  if (lease.sessionId === id) {
    const [kept] = yield* rows<LockedRow>(statement, ...underLease(id, lease), ...values);
    if (kept !== undefined)
      return { ...lease, sinceMs: kept.since_ms ?? 0, expiresAtMs: kept.expires_at_ms ?? 0 };
  }
  const [row] = yield* rows<SessionRow>(sql.get, id);
  throw row === undefined ? sessionNotFound(id) : leaseLost(id, leaseIn(row));
}

/** Errors: `LEASE_LOST`, `SESSION_NOT_FOUND`. */
export function renewLease(dialect: Dialect, lease: Lease): Operation<Lease> {
  const holder = JSON.stringify(lease.holder);
  const own = { ...lease, holder: JSON.parse(holder) as Lease["holder"] };
  return extendLease(dialect, dialect.sql.renew, lease.sessionId, own, holder);
}

export function* releaseLease({ sql }: Dialect, { sessionId, fence }: Lease): Operation<void> {
  yield* write(sql.release, sessionId, fence);
}

export interface Acquisition {
  readonly id: SessionId;
  readonly request: LeaseRequest;
  readonly writeId: string;
  /** What an earlier try saw: a second one that finds the first took effect would see only itself. */
  seen?: LeaseState | undefined;
}

/** Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`. */
export function* acquireLease(
  dialect: Dialect,
  given: Acquisition,
  { uncertain }: Attempt,
): Operation<Acquired> {
  const { id, request, writeId, seen } = given;
  const row = yield* locked(dialect, id);
  const current = leaseIn(row);
  if (uncertain && row.last_write === writeId && current !== undefined) {
    const lease = { ...current, sessionId: id, ttlMs: request.ttlMs };
    return seen === undefined ? { lease } : { lease, previous: seen };
  }
  given.seen = current;
  const acquired = takeLease(id, { lease: current, fence: row.fence }, request, row.now_ms);
  const { fence, holder, sinceMs, expiresAtMs, turnRunning } = acquired.lease;
  const state = [fence, JSON.stringify(holder), sinceMs, expiresAtMs, turnRunning];
  yield* write(dialect.sql.acquire, id, ...state, writeId);
  return acquired;
}
