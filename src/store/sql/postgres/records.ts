/** Records of sessions: made, read and changed. */
import { SidecarError, systemCodeOf } from "../../../base/errors.ts";
import type { SessionId } from "../../../base/ids.ts";
import { encodeFacts, toRecord } from "../../facts.ts";
import { patched } from "../../patch.ts";
import { sessionExists } from "../../refusals.ts";
import type { Lease, NewSession, SessionPatch, SessionRecord } from "../../contract.ts";
import type { Database, Session } from "./database.ts";
import { assertHeld, lockRow, recordOf, underLease, type RecordRow } from "./rows.ts";
import type { Statements } from "./statements.ts";
import { termsOf } from "../../server/terms.ts";

export async function getRecord(database: Database, sql: Statements, id: SessionId) {
  const [row] = await database.statements((session) => session.rows<RecordRow>(sql.get, [id]));
  return row && recordOf(row);
}

/** A session without a parent: one statement, hence one round trip. */
export function createAlone(
  database: Database,
  sql: Statements,
  given: NewSession,
  writeId: string,
): Promise<SessionRecord> {
  return database.statements(async (session, { uncertain }) => {
    if (!uncertain || !(await isMade(session, sql, given.id, writeId))) {
      await insertSession(session, sql, given, writeId);
    }
    return newRecord(given);
  });
}

/** Whether an earlier try of this very write has made the session. Errors: `SESSION_EXISTS` if another write has. */
export async function isMade(session: Session, sql: Statements, id: SessionId, writeId: string) {
  const [row] = await session.rows<RecordRow>(sql.get, [id]);
  if (row !== undefined && row.last_write !== writeId) throw sessionExists(id);
  return row !== undefined;
}

/** Writes a new session's rows. Returns the id of its journal. Errors: `SESSION_EXISTS`. */
export async function insertSession(
  session: Session,
  sql: Statements,
  given: NewSession,
  writeId: string,
): Promise<number> {
  const baseSeq = given.lineage?.atSeq ?? 0;
  const values = [given.id, encodeFacts(given), given.updatedAtMs, baseSeq, writeId, termsOf(given)];
  try {
    const [made] = await session.rows<{ journal_id: number }>(sql.create, values);
    if (made !== undefined) return made.journal_id;
  } catch (error) {
    throw isDuplicate(error) ? sessionExists(given.id) : error;
  }
  throw new SidecarError("INTERNAL", `Session ${given.id} was made without a journal`);
}

export function newRecord(given: NewSession): SessionRecord {
  const seq = given.lineage?.atSeq ?? 0;
  const { updatedAtMs } = given;
  return toRecord(encodeFacts(given), { updatedAtMs, headSeq: seq, sealedSeq: seq, lease: undefined });
}

/** Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`. */
export function updateRecord(
  database: Database,
  sql: Statements,
  id: SessionId,
  patch: SessionPatch,
  lease: Lease | undefined,
): Promise<SessionRecord> {
  return database.transaction(async (session) => {
    const row = await lockRow(session, sql, id);
    if (lease !== undefined) {
      assertHeld(row, id, lease);
      await session.write(sql.extend, underLease(id, lease));
    }
    const { lease: _, headSeq: _head, sealedSeq: _sealed, ...before } = recordOf(row);
    const after = patched<NewSession>(before, patch);
    if (patch.updatedAtMs !== undefined) await session.write(sql.touch, [id, patch.updatedAtMs]);
    await session.write(sql.setFacts, [id, encodeFacts(after)]);
    await changeTerms(session, sql, before, after);
    const [changed] = await session.rows<RecordRow>(sql.get, [id]);
    return recordOf(changed ?? row);
  });
}

async function changeTerms(session: Session, sql: Statements, before: NewSession, after: NewSession) {
  const old = new Set(termsOf(before));
  const wanted = new Set(termsOf(after));
  const dropped = [...old].filter((term) => !wanted.has(term));
  const added = [...wanted].filter((term) => !old.has(term));
  if (dropped.length > 0) await session.write(sql.dropTerms, [after.id, dropped]);
  if (added.length > 0) await session.write(sql.addTerms, [after.id, added]);
}

function isDuplicate(error: unknown): boolean {
  return systemCodeOf(error) === "23505";
}
