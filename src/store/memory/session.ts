/** One session as the memory store keeps it: its facts, its journal, its lease. */
import { SidecarError } from "../../base/errors.ts";
import { frozenCopy } from "../copy.ts";
import type { Entry, Lease, LeaseState, NewEntry, NewSession, SessionRecord } from "../contract.ts";

/** A fork holds on to its parent's journal, which therefore outlives a deleted parent. */
export interface Journal {
  readonly parent: Journal | undefined;
  /** `seq` of the last inherited entry. */
  readonly baseSeq: number;
  readonly entries: Entry[];
  bytes: number;
}

export interface Session {
  facts: NewSession;
  updatedAtMs: number;
  headSeq: number;
  sealedSeq: number;
  /** The last fencing number given out; grows even when leases are released. */
  fence: number;
  lease: Mutable<LeaseState> | undefined;
  readonly journal: Journal;
  /** The record as last handed out, until something changes. */
  record: SessionRecord | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const pageEntries = 500;
const pageBytes = 1 << 20;

export function newSession(given: NewSession, parent: Journal | undefined): Session {
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

export function recordOf(session: Session): SessionRecord {
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

export function put(session: Session, entries: readonly NewEntry[]): void {
  const { journal } = session;
  for (const { kind, atMs, data } of entries) {
    session.headSeq += 1;
    journal.entries.push(Object.freeze({ seq: session.headSeq, kind, atMs, data }));
    journal.bytes += data.length;
  }
}

/** What every write does to the lease that it is made under. */
export function extend(session: Session, { ttlMs, turnRunning }: Lease): Mutable<LeaseState> {
  const state = session.lease;
  if (state === undefined) throw new SidecarError("INTERNAL", "A write without a lease got through");
  state.expiresAtMs = Date.now() + ttlMs;
  state.turnRunning = turnRunning;
  session.record = undefined;
  return state;
}

/** Entries from `from` on, as many as a page takes, looked up in the journal that holds them. */
export function pageFrom(journal: Journal, from: number, through: number): Entry[] {
  let owner = journal;
  let last = through;
  while (from <= owner.baseSeq && owner.parent !== undefined) {
    last = Math.min(last, owner.baseSeq);
    owner = owner.parent;
  }
  const page: Entry[] = [];
  let bytes = 0;
  for (let seq = from; seq <= last && page.length < pageEntries && bytes < pageBytes; seq += 1) {
    const entry = owner.entries[seq - 1 - owner.baseSeq];
    if (entry === undefined) break;
    page.push(entry);
    bytes += entry.data.length;
  }
  return page;
}
