/** Entries: appended, sealed, and read through the journals that a fork inherits from. */
import type { SessionId } from "../../base/ids.ts";
import type { Entry, EntryRange, Lineage, NewEntry, SealRange } from "../contract.ts";
import type { JournalWrite } from "../driver.ts";
import { assertEnd, assertGapless, readAhead } from "../reading.ts";
import { journalConflict, sessionNotFound } from "../refusals.ts";
import { checkAppend, checkLease, checkReadOn, checkRewrite, checkSeal } from "../rules.ts";
import type { Attempt } from "../server/retry.ts";
import type { Dialect, Stretch } from "./dialect.ts";
import { extendLease, locked, underLease } from "./leases.ts";
import { rows, write, type Runner, type Operation } from "./operation.ts";
import { leaseIn, type SessionRow } from "./rows.ts";

/** Adds after `after`, by what `appending` has prepared. Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`, `STORE_CONFLICT`. */
export function* appendEntries(
  dialect: Dialect,
  { id, lease, entries, writeId }: JournalWrite,
  after: number,
  append: () => Operation<boolean | number>,
  { uncertain }: Attempt,
): Operation<number> {
  const newHead = after + entries.length;
  if (lease.sessionId === id && (yield* append())) return newHead;
  const [row] = yield* rows<SessionRow>(dialect.sql.get, id);
  if (row === undefined) throw sessionNotFound(id);
  if (uncertain && row.last_write === writeId) return newHead;
  checkLease(id, leaseIn(row), lease);
  if (entries.length > 0) throw journalConflict(id, after, row.head_seq);
  checkAppend(id, row.head_seq, after);
  yield* extendLease(dialect, dialect.sql.extend, id, lease);
  return newHead;
}

/** Puts entries in the place of a range, by what `replacing` has prepared. Errors: as `appendEntries`. */
export function* sealEntries(
  dialect: Dialect,
  { id, lease, entries, writeId }: JournalWrite,
  range: SealRange,
  replace: (no: number) => Operation<unknown>,
  { uncertain }: Attempt,
): Operation<number> {
  const newHead = range.from - 1 + entries.length;
  const row = yield* locked(dialect, id);
  checkLease(id, leaseIn(row), lease);
  if (uncertain && row.last_write === writeId) return newHead;
  checkSeal(id, { headSeq: row.head_seq, sealedSeq: row.sealed_seq }, range);
  yield* write(dialect.sql.seal, ...underLease(id, lease), newHead, writeId, lastTime(entries) ?? 0);
  yield* replace(row.no);
  return newHead;
}

/** Puts as many entries in the place of final ones, by what `rewriting` has prepared; done twice it is done once. Errors: as `Store.rewrite`. */
export function* rewriteEntries(
  dialect: Dialect,
  { id, lease, entries }: Omit<JournalWrite, "writeId">,
  from: number,
  rewrite: (no: number) => Operation<unknown>,
): Operation<void> {
  const row = yield* locked(dialect, id);
  yield* extendLease(dialect, dialect.sql.extend, id, lease);
  const [own] = yield* rows<Link>(dialect.sql.chain, id, from);
  const bounds = { baseSeq: own?.base_seq ?? 0, sealedSeq: row.sealed_seq };
  checkRewrite(id, bounds, from, entries.length);
  if (entries.length > 0) yield* rewrite(row.no);
}

export function lastTime(entries: readonly NewEntry[]): number | undefined {
  return entries.at(-1)?.atMs;
}

/** A journal, and the seq up to which it inherits from the next one in the chain; its session's state. */
interface Link {
  readonly no: number;
  readonly base_seq: number;
  readonly head_seq: number;
  readonly sealed_seq: number;
}

/** The journal that holds entry `atSeq` of the parent, its own or one that it inherits from; none for 0. */
export function* baseOf({ sql }: Dialect, { parentId, atSeq }: Lineage): Operation<number | null> {
  if (atSeq === 0) return null;
  return (yield* rows<Link>(sql.chain, parentId, atSeq)).at(-1)?.no ?? null;
}

/** Errors: as `Store.read`; `STORE_CORRUPT` when an entry is missing that the head counts. */
export async function* readEntries(
  runner: Runner,
  dialect: Dialect,
  id: SessionId,
  range: Required<EntryRange>,
): AsyncGenerator<readonly Entry[]> {
  const chain = await runner.read(() => rows<Link>(dialect.sql.chain, id, range.from));
  const [own] = chain;
  if (own === undefined) throw sessionNotFound(id);
  const stretches = stretchesIn(chain, range.from, Math.min(range.through, own.head_seq));
  let stretch = stretches.pop();
  let before = { sealedSeq: own.sealed_seq, given: 0 };
  let next = range.from;
  yield* readAhead(async () => {
    if (stretch !== undefined && next > stretch.through) stretch = stretches.pop();
    if (stretch === undefined) return undefined;
    const { entries, session } = await dialect.page(
      { id, no: own.no },
      { ...stretch, from: next },
      before.given === 0,
    );
    if (session === undefined) throw sessionNotFound(id);
    checkReadOn(id, before, session.sealed_seq);
    if (entries.length === 0) return assertEnd(id, next, session.head_seq, dialect.wayOut);
    assertGapless(entries, id, next, dialect.wayOut);
    before = { sealedSeq: session.sealed_seq, given: next + entries.length - 1 };
    next += entries.length;
    return entries;
  });
}

/** Where the entries `from` … `through` lie, the last first. */
function stretchesIn(chain: readonly Link[], from: number, through: number): Stretch[] {
  const stretches: Stretch[] = [];
  let last = through;
  for (const { no, base_seq: baseSeq } of chain) {
    if (last > baseSeq && last >= from)
      stretches.push({ no, from: Math.max(from, baseSeq + 1), through: last });
    last = Math.min(last, baseSeq);
  }
  return stretches;
}
