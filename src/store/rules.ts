/** What the contract refuses, decided once for every store that decides it in JavaScript. */
import type { SessionId } from "../base/ids.ts";
import type {
  Acquired,
  Lease,
  LeaseRequest,
  LeaseState,
  Lineage,
  SealRange,
  SessionRecord,
} from "./contract.ts";
import { frozenCopy } from "./copy.ts";
import {
  alreadySealed,
  forkBeyondSealed,
  journalConflict,
  leaseLost,
  notRewritable,
  sealedWhileRead,
  sessionBusy,
} from "./refusals.ts";

/** Whether a lease keeps others out by itself: somebody has it, and it has not run out. */
export function isInForce(lease: LeaseState | undefined, nowMs: number): lease is LeaseState {
  return lease !== undefined && lease.expiresAtMs > nowMs;
}

/** Whether `lease` is the one under which session `id` is held: one that has run out still is, until it is taken. */
export function holds(lease: Lease, id: SessionId, heldFence: number | undefined): boolean {
  return lease.fence === heldFence && lease.sessionId === id;
}

/** Errors: `LEASE_LOST` unless `lease` is the session's, whose lease is `current`. */
export function checkLease(id: SessionId, current: LeaseState | undefined, lease: Lease): void {
  if (!holds(lease, id, current?.fence)) throw leaseLost(id, current);
}

/** Errors: `STORE_CONFLICT` unless the journal ends at `after`. */
export function checkAppend(id: SessionId, headSeq: number, after: number): void {
  if (after !== headSeq) throw journalConflict(id, after, headSeq);
}

/** Errors: `STORE_CONFLICT` unless the journal ends at `head`, and `from` is behind what is final and not behind a gap. */
export function checkSeal(
  id: SessionId,
  { headSeq, sealedSeq }: Pick<SessionRecord, "headSeq" | "sealedSeq">,
  { from, head }: SealRange,
): void {
  if (head !== headSeq || from > headSeq + 1) throw journalConflict(id, head, headSeq);
  if (from <= sealedSeq) throw alreadySealed(id, from, sealedSeq);
}

/** Errors: `STORE_CONFLICT` unless the entries are final, and not inherited. */
export function checkRewrite(
  id: SessionId,
  bounds: { readonly baseSeq: number; readonly sealedSeq: number },
  from: number,
  count: number,
): void {
  const through = from + count - 1;
  if (from > bounds.baseSeq && through <= bounds.sealedSeq) return;
  throw notRewritable(id, { from, through }, bounds);
}

/**
 * Asked before a read goes on. Errors: `STORE_CONFLICT` when entries that it has given were not final then, and a seal
 * has put others in their place.
 * @param before up to which entry all was final when it last read, and the last entry that it has given
 */
export function checkReadOn(
  id: SessionId,
  before: { readonly sealedSeq: number; readonly given: number },
  sealedSeq: number,
): void {
  if (sealedSeq !== before.sealedSeq && before.given > before.sealedSeq) throw sealedWhileRead(id);
}

/** Errors: `STORE_CONFLICT` for a fork beyond the parent's final entries. */
export function checkFork({ parentId, atSeq }: Lineage, sealedSeq: number): void {
  if (atSeq > sealedSeq) throw forkBeyondSealed(parentId, atSeq, sealedSeq);
}

/** Errors: `SESSION_BUSY` for a lease that is in force and may not be taken over. */
export function checkTake(
  id: SessionId,
  current: LeaseState | undefined,
  mayTake: LeaseRequest["mayTake"],
  nowMs: number,
): void {
  if (isInForce(current, nowMs) && !mayTake(current)) throw sessionBusy(id, current);
}

/**
 * The lease that `request` gets, frozen, and the one that it takes the place of. Errors: `SESSION_BUSY`.
 * @param session whose lease it is now, and the last fence that was given out for it
 */
export function takeLease(
  id: SessionId,
  session: { readonly lease: LeaseState | undefined; readonly fence: number },
  { holder, ttlMs, mayTake }: LeaseRequest,
  nowMs: number,
): Acquired {
  // Nobody who is asked can change what is refused with it.
  const previous = frozenCopy(session.lease);
  checkTake(id, previous, mayTake, nowMs);
  const times = { sinceMs: nowMs, expiresAtMs: nowMs + ttlMs };
  // Until whoever takes it has ended that turn, the next one must know of it.
  const turnRunning = previous?.turnRunning === true;
  const lease = leaseFor(id, { holder, fence: session.fence + 1, ...times, turnRunning }, ttlMs);
  return previous === undefined ? { lease } : { lease, previous };
}

/** A lease as its holder has it, frozen. Named member by member, because spreading the state takes twenty times as long. */
export function leaseFor(sessionId: SessionId, state: LeaseState, ttlMs: number): Lease {
  const { fence, sinceMs, expiresAtMs, turnRunning } = state;
  const holder = frozenCopy(state.holder);
  return Object.freeze({ sessionId, holder, fence, sinceMs, expiresAtMs, turnRunning, ttlMs });
}
