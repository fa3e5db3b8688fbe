/** Entries written: appended and sealed. */
import type { SessionId } from "../../../base/ids.ts";
import { cutBlock, encodeBlocks, type Block } from "../../server/blocks.ts";
import { alreadySealed, journalConflict, sessionNotFound } from "../../refusals.ts";
import type { Lease, NewEntry } from "../../contract.ts";
import type { Database, Session } from "./database.ts";
import { assertHeld, lockRow, underLease, type RecordRow } from "./rows.ts";
import type { Statements } from "./statements.ts";

/** What an append and a seal have in common, taken down when they are called. */
export interface JournalWrite {
  readonly id: SessionId;
  readonly lease: Lease;
  readonly entries: readonly NewEntry[];
  /** Unique to the call: by it a second try learns that the first one got through. */
  readonly writeId: string;
}

/** Adds after `after`; `seals` marks all as final. Returns the new head. */
export function appendEntries(
  database: Database,
  sql: Statements,
  write: JournalWrite,
  after: number,
  seals = false,
): Promise<number> {
  const { id, lease, entries, writeId } = write;
  const count = entries.length;
  const blocks = encodeBlocks(after + 1, entries);
  const [block] = blocks;
  const isOne = block !== undefined && blocks.length === 1;
  const columns = isOne ? [block.first, block.count, block.text] : columnsOf(blocks);
  const values = [...underLease(id, lease), after, count, writeId, lastTime(write), seals, ...columns];
  const statement = isOne ? sql.appendBlock : sql.append;
  const newHead = after + count;
  return database.statements(async (session, { uncertain }) => {
    if (lease.sessionId === id && (await session.write(statement, values)) > 0) return newHead;
    // No row was inserted: it was refused, or an earlier try had done it, or there were no entries.
    const [row] = await session.rows<RecordRow>(sql.get, [id]);
    if (row === undefined) throw sessionNotFound(id);
    if (row.last_write === writeId && (uncertain || count === 0)) return newHead;
    assertHeld(row, id, lease);
    throw journalConflict(id, after, row.head_seq);
  });
}

/** Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`, `STORE_CONFLICT`. */
export function sealEntries(
  database: Database,
  sql: Statements,
  write: JournalWrite,
  range: { readonly from: number; readonly head: number },
): Promise<number> {
  const { id, lease, entries, writeId } = write;
  const { from, head } = range;
  if (from === head + 1) return appendEntries(database, sql, write, head, true);
  const newHead = from - 1 + entries.length;
  return database.transaction(async (session, { uncertain }) => {
    const row = await lockRow(session, sql, id);
    assertHeld(row, id, lease);
    if (uncertain && row.last_write === writeId) return newHead;
    if (head !== row.head_seq || from > head) throw journalConflict(id, head, row.head_seq);
    if (from <= row.sealed_seq) throw alreadySealed(id, from, row.sealed_seq);
    await session.write(sql.seal, [...underLease(id, lease), newHead, writeId, lastTime(write)]);
    await replaceBlocks(session, sql, row.journal_id, from, entries);
    return newHead;
  });
}

/** `entries` in the place of all from `from` on. A block that begins before is cut in two. */
async function replaceBlocks(
  session: Session,
  sql: Statements,
  journalId: number,
  from: number,
  entries: readonly NewEntry[],
): Promise<void> {
  const [before] = await session.rows<{ data: string }>(sql.before, [journalId, from]);
  const kept = before === undefined ? [] : cutBlock(before.data, from);
  const blocks = [...kept, ...encodeBlocks(from, entries)];
  await session.write(sql.cut, [journalId, kept[0]?.first ?? from]);
  if (blocks.length > 0) await session.write(sql.insert, [journalId, ...columnsOf(blocks)]);
}

function columnsOf(blocks: readonly Block[]): readonly unknown[] {
  return [blocks.map(({ first }) => first), blocks.map(({ count }) => count), blocks.map(({ text }) => text)];
}

function lastTime({ entries }: JournalWrite): number | null {
  return entries.at(-1)?.atMs ?? null;
}
