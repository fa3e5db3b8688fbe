/** Records of sessions: made, read, changed, deleted. */
import type { SessionId } from "../../base/ids.ts";
import { toRecord } from "../facts.ts";
import type { Lease, LeaseState, NewSession, SessionPatch, SessionRecord } from "../contract.ts";
import { patched } from "../patch.ts";
import { sessionExists, sessionNotFound } from "../refusals.ts";
import { checkFork, checkLease } from "../rules.ts";
import type { Attempt } from "../server/retry.ts";
import type { Dialect } from "./dialect.ts";
import { extendLease, locked } from "./leases.ts";
import { baseOf } from "./journal.ts";
import { rows, write, type Operation } from "./operation.ts";
import { leaseIn, recordIn, type SessionRow } from "./rows.ts";

export function* getRecord({ sql }: Dialect, id: SessionId): Operation<SessionRecord | undefined> {
  const [row] = yield* rows<SessionRow>(sql.get, id);
  return row && recordIn(row);
}

/** Errors: `SESSION_EXISTS`, `SESSION_NOT_FOUND` for the parent, `STORE_CONFLICT` beyond its final entries. */
export function* createSession(
  dialect: Dialect,
  given: NewSession,
  writeId: string,
): Operation<SessionRecord> {
  const { id, updatedAtMs, lineage } = given;
  let isNew = true;
  if (lineage === undefined) isNew = yield* dialect.insert(given, null, writeId);
  else if (!(yield* isMade(dialect, id, writeId))) {
    // The lock keeps the parent, and with it every journal that it inherits from, from being deleted now.
    const parent = yield* locked(dialect, lineage.parentId);
    checkFork(lineage, parent.sealed_seq);
    isNew = yield* dialect.insert(given, yield* baseOf(dialect, lineage), writeId);
  }
  // One that was there, and cannot be seen, is somebody else's.
  if (!isNew && !(yield* isMade(dialect, id, writeId))) throw sessionExists(id);
  const seq = lineage?.atSeq ?? 0;
  return toRecord(dialect.factsOf(given), {
    id,
    updatedAtMs,
    headSeq: seq,
    sealedSeq: seq,
    lease: undefined,
  });
}

/** Whether an earlier try of this very write has made the session. Errors: `SESSION_EXISTS` if another write has. */
function* isMade({ sql }: Dialect, id: SessionId, writeId: string): Operation<boolean> {
  const [row] = yield* rows<SessionRow>(sql.get, id);
  if (row !== undefined && row.last_write !== writeId) throw sessionExists(id);
  return row !== undefined;
}

/** Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`. */
export function* updateRecord(
  dialect: Dialect,
  id: SessionId,
  patch: SessionPatch,
  given: Lease | undefined,
): Operation<SessionRecord> {
  const { sql } = dialect;
  const [row] = yield* rows<SessionRow>(sql.lockRecord, id);
  if (row === undefined) throw sessionNotFound(id);
  let lease: LeaseState | undefined = leaseIn(row);
  if (given !== undefined) {
    const { expiresAtMs, turnRunning } = yield* extendLease(dialect, sql.extend, id, given);
    lease = lease && { ...lease, expiresAtMs, turnRunning };
  }
  const before = recordIn(row);
  const after = patched(before, patch);
  const { updatedAtMs, headSeq, sealedSeq } = after;
  if (updatedAtMs !== before.updatedAtMs) yield* write(sql.touch, id, updatedAtMs);
  const facts = dialect.factsOf(after);
  if (facts !== row.facts) yield* changeFacts(dialect, row, before, after, facts);
  return toRecord(facts, { id, updatedAtMs, headSeq, sealedSeq, lease });
}

function* changeFacts(
  dialect: Dialect,
  row: SessionRow,
  before: NewSession,
  after: NewSession,
  facts: string,
): Operation<void> {
  yield* write(dialect.sql.setFacts, row.id, facts);
  const [old, wanted] = [new Set(dialect.termsOf(before)), new Set(dialect.termsOf(after))];
  const dropped = [...old].filter((term) => !wanted.has(term));
  const added = [...wanted].filter((term) => !old.has(term));
  if (dropped.length > 0) yield* dialect.dropTerms(row, dropped);
  if (added.length > 0) yield* dialect.addTerms(row, added);
}

/** True if it was there. Its journal goes as far as nobody inherits it. Errors: `LEASE_LOST`. */
export function* deleteSession(
  dialect: Dialect,
  id: SessionId,
  lease: Lease | undefined,
  { uncertain }: Attempt,
): Operation<boolean> {
  const [row] = yield* rows<SessionRow>(dialect.sql.lockRecord, id);
  if (row === undefined) return uncertain;
  if (lease !== undefined) checkLease(id, leaseIn(row), lease);
  yield* dialect.drop(row);
  yield* dialect.discard(row.no);
  return true;
}

/**
 * Removes some of what nobody inherits of a journal that has lost its session. Returns the journal to go on with: the
 * same one, or one that only this one has kept; undefined when all is done.
 */
export function* trim(dialect: Dialect, no: number): Operation<number | undefined> {
  const { sql } = dialect;
  let kept = 0;
  for (const { base_seq } of yield* rows<{ base_seq: number | null }>(sql.forks, no)) {
    kept = Math.max(kept, base_seq ?? 0);
  }
  if (yield* dialect.cut(no, kept + 1)) return no;
  if (kept > 0) return undefined;
  const [gone] = yield* rows<{ parent_no: number | null }>(sql.dropJournal, no);
  const parentNo = gone?.parent_no ?? undefined;
  if (parentNo === undefined) return undefined;
  return (yield* rows(sql.owner, parentNo)).length === 0 ? parentNo : undefined;
}
