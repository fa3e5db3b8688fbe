/** What the lines of a journal add up to, and where in the file its entries stand. `judge.ts` says which lines count. */
import type { SessionId } from "../../base/ids.ts";
import { frozenCopy } from "../copy.ts";
import type { LeaseState, NewSession, SessionRecord } from "../contract.ts";
import type { EntryLine, HeadLine, OpLine, Segment } from "./line.ts";

/** Neighbouring lines, all of them entries: `from` … `through` are among them; those beyond were replaced. */
export interface Stretch {
  readonly from: number;
  through: number;
  readonly offset: number;
  end: number;
}

/** Bytes of a journal that are not as they were written. */
export interface DamagedBytes {
  readonly offset: number;
  /** The last entry before them. */
  readonly afterSeq: number;
}

export interface JournalState {
  facts: NewSession;
  updatedAtMs: number;
  headSeq: number;
  sealedSeq: number;
  /** The last fencing number given out. */
  fence: number;
  lease: LeaseState | undefined;
  readonly forks: SessionId[];
  deleted: boolean;
  /** The file in which the journal goes on. */
  next: string | undefined;
  readonly segments: readonly Segment[];
  /** Where in this file the entries that count stand, in order. */
  readonly stretches: Stretch[];
  readonly damage: DamagedBytes[];
  /** Behind damage, entries or a seal may be lost: the next line that says where it stands is believed. */
  headUnsure: boolean;
  /** Behind damage, what became of the lease may be lost: the next line that says it is believed. */
  leaseUnsure: boolean;
  /** What stands before it in the file and is not final may have been replaced by a seal that is lost. */
  unsureBefore: number;
  /** Lines up to here are taken in. */
  offset: number;
  /** Bytes of the file that are known to be on the medium. */
  safe: number;
  /** What the file itself says of that. */
  saidSafe: number;
  /** Beyond `offset` stands the beginning of a batch whose end is missing. */
  torn: boolean;
  /** The last line has no line break yet. */
  unended: boolean;
  /** The record as last handed out, until something changes. */
  record: SessionRecord | undefined;
}

export function stateOf(head: HeadLine): JournalState {
  const { headSeq, sealedSeq, lease, ...facts } = head.record;
  return {
    facts: frozenCopy(facts),
    updatedAtMs: facts.updatedAtMs,
    headSeq,
    sealedSeq,
    fence: head.fence,
    lease: frozenCopy(lease),
    forks: [...head.forks],
    deleted: head.deleted,
    next: undefined,
    segments: head.segments,
    stretches: [],
    damage: [],
    headUnsure: false,
    leaseUnsure: false,
    unsureBefore: 0,
    offset: 0,
    safe: 0,
    saidSafe: 0,
    torn: false,
    unended: false,
    record: undefined,
  };
}

/** The head line by which a file continues from `state`, with `carried` entries behind it. */
export function headOf(state: JournalState, segments: readonly Segment[], carried: number): HeadLine {
  const { fence, forks, deleted } = state;
  const record = recordOf(state);
  return { op: "journal", version: 1, of: carried + 1, record, fence, forks, deleted, segments };
}

export function recordOf(state: JournalState): SessionRecord {
  const { facts, updatedAtMs, headSeq, sealedSeq, lease } = state;
  state.record ??= Object.freeze({ ...facts, updatedAtMs, headSeq, sealedSeq, ...(lease && { lease }) });
  return state.record;
}

/** Small enough that finding an entry in its stretch costs one short read. */
const stretchBytes = 64 * 1024;

export function addEntry(stretches: Stretch[], seq: number, offset: number, end: number): void {
  const last = stretches.at(-1);
  if (last?.end === offset && last.through === seq - 1 && end - last.offset <= stretchBytes) {
    last.through = seq;
    last.end = end;
  } else {
    stretches.push({ from: seq, through: seq, offset, end });
  }
}

/** Forgets the entries from `from` on. */
export function dropEntries(stretches: Stretch[], from: number): void {
  while ((stretches.at(-1)?.from ?? 0) >= from) stretches.pop();
  const last = stretches.at(-1);
  if (last !== undefined) last.through = Math.min(last.through, from - 1);
}

/** Position of the first stretch that has entries at or after `seq`. */
export function firstStretchAt(stretches: readonly Stretch[], seq: number): number {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stretches[middle]?.through ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The last damage may have held anything: an entry, what became of the lease, or a seal, which replaces entries that
 * can be read. An entry is taken for lost with it unless a later line knows better.
 */
export function markUncertain(state: JournalState): void {
  if (!state.headUnsure) state.headSeq += 1;
  state.headUnsure = true;
  state.leaseUnsure = true;
  state.unsureBefore = state.damage.at(-1)?.offset ?? 0;
  state.record = undefined;
}

/** Takes what a line that counts says for known from here on; called before it is taken in. */
export function settle(state: JournalState, line: EntryLine | OpLine): void {
  const isSeal = "op" in line && line.op === "seal";
  const from = "seq" in line ? line.seq : isSeal ? line.from : undefined;
  if (from !== undefined) {
    // A line that falls back shows that a seal is lost. What stands before the next seal's first entry may hide one.
    if (isSeal || (state.headUnsure && from <= state.headSeq)) dropUnsure(state);
    if (isSeal) state.unsureBefore = 0;
    state.headUnsure = false;
  }
  const ofLease = "op" in line && (line.op === "lease" || line.op === "release");
  if (ofLease || ("batch" in line && line.batch !== undefined)) state.leaseUnsure = false;
}

/** Takes for lost what a lost seal may have replaced. */
function dropUnsure({ stretches, unsureBefore, sealedSeq }: JournalState): void {
  const sure = stretches.splice(stretches.findLastIndex(({ offset }) => offset < unsureBefore) + 1);
  dropEntries(stretches, sealedSeq + 1);
  stretches.push(...sure);
}
