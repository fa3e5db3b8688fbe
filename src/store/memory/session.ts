/** One session as the memory store keeps it: its facts, its journal, its lease. */
import { frozenCopy } from "../copy.ts";
import type { Entry, Lease, LeaseState, NewEntry, NewSession, SessionRecord } from "../contract.ts";

/** A fork holds on to its parent's journal, which therefore outlives a deleted parent. */
export interface StoredJournal {
  readonly parent: StoredJournal | undefined;
  /** `seq` of the last inherited entry. */
  readonly baseSeq: number;
  readonly entries: Entry[];
  bytes: number;
}

export interface StoredSession {
  facts: NewSession;
  updatedAtMs: number;
  headSeq: number;
  sealedSeq: number;
  /** The last fencing number given out; grows even when leases are released. */
  fence: number;
  lease: Mutable<LeaseState> | undefined;
  readonly journal: StoredJournal;
  /** The record as last handed out, until something changes. */
  record: SessionRecord | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const pageEntries = 500;
const pageBytes = 1 << 20;

export function newSession(given: NewSession, parent: StoredJournal | undefined): StoredSession {
  const facts = frozenCopy(given);
  const baseSeq = facts.lineage?.atSeq ?? 0;
  return {
    facts,
    updatedAtMs: facts.updatedAtMs,
    headSeq: baseSeq,
    sealedSeq: baseSeq,
    fence: 0,
    lease: undefined,
    journal: { parent, baseSeq, entries: [], bytes: 0 },
    record: undefined,
  };
}

export function recordOf(session: StoredSession): SessionRecord {
  const { facts, updatedAtMs, headSeq, sealedSeq, lease } = session;
  session.record ??= Object.freeze({
    ...facts,
    updatedAtMs,
    headSeq,
    sealedSeq,
    ...(lease && { lease: Object.freeze({ ...lease }) }),
  });
  return session.record;
}

export function put(session: StoredSession, entries: readonly NewEntry[]): void {
  const { journal } = session;
  for (const { kind, atMs, data } of entries) {
    session.headSeq += 1;
    journal.entries.push(Object.freeze({ seq: session.headSeq, kind, atMs, data }));
    journal.bytes += data.length;
  }
}

/** Takes away the entries from `from` on. */
export function cut(session: StoredSession, from: number): void {
  const { journal } = session;
  for (const { data } of journal.entries.splice(from - 1 - journal.baseSeq)) journal.bytes -= data.length;
  session.headSeq = from - 1;
}

/** Puts as many others in the place of those from `from` on. */
export function replace({ journal }: StoredSession, from: number, entries: readonly NewEntry[]): void {
  for (const [i, { kind, atMs, data }] of entries.entries()) {
    const at = from + i - 1 - journal.baseSeq;
    journal.bytes += data.length - (journal.entries[at]?.data.length ?? 0);
    journal.entries[at] = Object.freeze({ seq: from + i, kind, atMs, data });
  }
}

/** @param lease frozen, its holder included */
export function hold(session: StoredSession, lease: Lease): void {
  const { holder, fence, sinceMs, expiresAtMs, turnRunning } = lease;
  session.fence = fence;
  session.lease = { holder, fence, sinceMs, expiresAtMs, turnRunning };
}

/** Entries from `from` on, as many as a page takes, looked up in the journal that holds them. */
export function pageFrom(journal: StoredJournal, from: number, through: number): Entry[] {
  let owner = journal;
  let last = through;
  while (from <= owner.baseSeq && owner.parent !== undefined) {
    last = Math.min(last, owner.baseSeq);
    owner = owner.parent;
  }
  const { entries, baseSeq } = owner;
  const begin = from - 1 - baseSeq;
  const limit = Math.min(last - baseSeq, begin + pageEntries, entries.length);
  let end = begin;
  for (let bytes = 0; end < limit && bytes < pageBytes; end += 1) bytes += entries[end]?.data.length ?? 0;
  return entries.slice(begin, end);
}
