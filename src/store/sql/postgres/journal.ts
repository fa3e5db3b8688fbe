/** Journals in PostgreSQL: blocks of entries (see ../../server/blocks.ts). */
import type { NewEntry, SealRange } from "../../contract.ts";
import { cutBlock, encodeBlocks, entriesIn, restOfBlock, type Block } from "../../server/blocks.ts";
import type { JournalWrite } from "../../driver.ts";
import type { SessionKey, JournalPage, Stretch } from "../dialect.ts";
import { lastTime } from "../journal.ts";
import { underLease } from "../leases.ts";
import { rows, write, type Operation, type Value } from "../operation.ts";
import type { Database } from "./database.ts";
import type { Statements } from "./statements.ts";

const pageEntries = 1000;
const pageBytes = 1 << 20;
/** A statement takes 65,535 values. */
const mostBlocks = 1000;

export function appending(
  sql: Statements,
  { id, lease, entries, writeId }: JournalWrite,
  after: number,
  seals: boolean,
): () => Operation<number> {
  const blocks = encodeBlocks(after + 1, entries);
  const head = [after, entries.length, writeId, lastTime(entries) ?? null, seals];
  const values = [...underLease(id, lease), ...head, ...columnsOf(blocks)];
  return () => write(sql.append(blocks.length), ...values);
}

/** A block that begins before the first of them is cut in two. */
export function replacing(
  sql: Statements,
  { from }: SealRange,
  entries: readonly NewEntry[],
): (no: number) => Operation<void> {
  const blocks = encodeBlocks(from, entries);
  return (no) => replace(sql, no, from, blocks);
}

function* replace(sql: Statements, no: number, from: number, blocks: readonly Block[]): Operation<void> {
  const [before] = yield* rows<{ data: string }>(sql.before, no, from);
  const kept = before === undefined ? [] : cutBlock(before.data, from);
  yield* write(sql.cut, no, kept[0]?.first ?? from);
  const all = [...kept, ...blocks];
  if (all.length > 0) yield* write(sql.insert(all.length), no, ...columnsOf(all));
}

/** Blocks that begin before them or end behind them are cut in two. */
export function rewriting(
  sql: Statements,
  from: number,
  entries: readonly NewEntry[],
): (no: number) => Operation<void> {
  const blocks = encodeBlocks(from, entries);
  return (no) => rewrite(sql, no, { from, next: from + entries.length }, blocks);
}

function* rewrite(
  sql: Statements,
  no: number,
  { from, next }: { readonly from: number; readonly next: number },
  blocks: readonly Block[],
): Operation<void> {
  const [first] = yield* rows<{ data: string }>(sql.before, no, from);
  const [last] = yield* rows<{ data: string }>(sql.before, no, next);
  const before = first === undefined ? [] : cutBlock(first.data, from);
  const behind = last === undefined ? [] : restOfBlock(last.data, next);
  yield* write(sql.cutOut, no, before[0]?.first ?? from, next - 1);
  const all = [...before, ...blocks, ...behind];
  for (let at = 0; at < all.length; at += mostBlocks) {
    const some = all.slice(at, at + mostBlocks);
    yield* write(sql.insert(some.length), no, ...columnsOf(some));
  }
}

function columnsOf(blocks: readonly Block[]): Value[] {
  const columns: Value[] = [];
  for (const { first, count, text } of blocks) columns.push(first, count, text);
  return columns;
}

/** Without a block when there is none. */
type PageTuple = readonly [headSeq: number, sealedSeq: number, block: string | null];

export async function readPage(
  database: Database,
  sql: Statements,
  { id }: SessionKey,
  { no, from, through }: Stretch,
): Promise<JournalPage> {
  const last = Math.min(through, from + pageEntries - 1);
  const tuples = await database.read(() => rows<PageTuple>(sql.page, id, no, from, last, pageBytes));
  const [first] = tuples;
  const blocks = tuples.flatMap(([, , block]) => block ?? []);
  return {
    entries: entriesIn(blocks, from, last),
    session: first && { head_seq: first[0], sealed_seq: first[1] },
  };
}
