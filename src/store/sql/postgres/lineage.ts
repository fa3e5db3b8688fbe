/**
 * Forks and deletions. A fork inherits from the journal that really holds the entries, so that a chain is
 * as long as it must be. A journal whose session is gone is kept, as far as forks inherit from it.
 */
import type { SessionId } from "../../../base/ids.ts";
import { forkBeyondSealed, sessionNotFound } from "../../refusals.ts";
import type { Lineage, NewSession, SessionRecord } from "../../contract.ts";
import type { Database, Session } from "./database.ts";
import { insertSession, isMade, newRecord } from "./records.ts";
import type { LockedRow } from "./rows.ts";
import type { Statements } from "./statements.ts";

/** Errors: `SESSION_EXISTS`, `SESSION_NOT_FOUND` for the parent, `STORE_CONFLICT` beyond its final entries. */
export function createFork(
  database: Database,
  sql: Statements,
  given: NewSession & { readonly lineage: Lineage },
  writeId: string,
): Promise<SessionRecord> {
  return database.transaction(async (session) => {
    const { parentId, atSeq } = given.lineage;
    if (await isMade(session, sql, given.id, writeId)) return newRecord(given);
    // The lock keeps the parent, and with it every journal that it inherits from, from being deleted now.
    const [parent] = await session.rows<LockedRow>(sql.lock, [parentId]);
    if (parent === undefined) throw sessionNotFound(parentId);
    if (atSeq > parent.sealed_seq) throw forkBeyondSealed(parentId, atSeq, parent.sealed_seq);
    const journal = await insertSession(session, sql, given, writeId);
    const base = await baseOf(session, sql, parentId, atSeq);
    if (base !== undefined) await session.write(sql.addFork, [journal, base, atSeq]);
    return newRecord(given);
  });
}

/** The journal that holds entry `seq` of a session; none for 0. */
async function baseOf(session: Session, sql: Statements, id: SessionId, seq: number) {
  if (seq === 0) return undefined;
  const chain = await session.rows<{ journal_id: number; base_seq: number }>(sql.chain, [id]);
  return chain.find(({ base_seq }) => seq > base_seq)?.journal_id;
}

/** True if it was there. */
export function deleteSession(database: Database, sql: Statements, id: SessionId): Promise<boolean> {
  return database.transaction(async (session, { uncertain }) => {
    const [head] = await session.rows<{ journal_id: number }>(sql.dropHead, [id]);
    if (head === undefined) return uncertain;
    await session.write(sql.dropSession, [id]);
    await session.write(sql.dropAllTerms, [id]);
    await dropUnused(session, sql, head.journal_id);
    return true;
  });
}

/** Drops what nobody inherits of a journal without a session, then what only that journal had kept. */
async function dropUnused(session: Session, sql: Statements, journalId: number): Promise<void> {
  // Locked, so that of two last forks that go at once one sees the other gone.
  const forks = await session.rows<{ base_seq: number }>(sql.forksOf, [journalId]);
  const kept = Math.max(0, ...forks.map((fork) => fork.base_seq));
  await session.write(sql.cut, [journalId, kept + 1]);
  if (forks.length > 0) return;
  const [link] = await session.rows<{ base_journal_id: number }>(sql.dropFork, [journalId]);
  if (link === undefined) return;
  const owners = await session.rows(sql.ownerOf, [link.base_journal_id]);
  if (owners.length === 0) await dropUnused(session, sql, link.base_journal_id);
}
