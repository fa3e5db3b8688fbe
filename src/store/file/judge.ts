/** Which lines of a journal count, and what they do. Their order in the file alone decides, alike for every process. */
import { frozenCopy } from "../copy.ts";
import { patched } from "../patch.ts";
import type { Holder } from "../contract.ts";
import type { Batch, EntryLine, OpLine, Seen } from "./line.ts";
import { addEntry, dropEntries, settle, type JournalState } from "./state.ts";

export interface EntryPlace {
  readonly seq: number;
  readonly offset: number;
  readonly end: number;
}

/** Lines that count together. */
export interface Unit {
  readonly line: EntryLine | OpLine;
  readonly entries: readonly EntryPlace[];
  /** The last entry that it had, when some of them are damaged. */
  readonly through?: number;
  /** Time of the last entry. */
  readonly lastAtMs: number | undefined;
  readonly offset: number;
  readonly end: number;
}

/** What became of a unit: it counts, or why it does not. */
export type Verdict = "counts" | "fenced" | "conflict" | "sealed" | "gone" | "moved";

/** Takes a unit in if it counts. */
export function apply(state: JournalState, unit: Unit): Verdict {
  const verdict = judge(state, unit);
  state.offset = unit.end;
  if (verdict !== "counts") return verdict;
  state.record = undefined;
  const { line } = unit;
  if (state.damage.length > 0) settle(state, line);
  if ("seq" in line) {
    addEntries(state, unit);
    state.updatedAtMs = unit.lastAtMs ?? state.updatedAtMs;
  } else {
    applyOp(state, line, unit);
  }
  if ("batch" in line && line.batch !== undefined) extend(state, line.batch);
  return verdict;
}

/** After damage the latest line is believed, except about what is final. */
export function judge(state: JournalState, { line, offset }: Pick<Unit, "line" | "offset">): Verdict {
  const { headSeq, sealedSeq, headUnsure, leaseUnsure } = state;
  if (state.next !== undefined) return "moved";
  if (state.deleted && !("op" in line && (line.op === "next" || line.op === "torn"))) return "gone";
  if ("batch" in line && line.batch && !leaseUnsure && !holds(state, line.batch.by)) return "fenced";
  if ("seq" in line) {
    const fits = headUnsure ? line.seq > sealedSeq : line.seq === headSeq + 1;
    return fits ? "counts" : "conflict";
  }
  switch (line.op) {
    case "seal":
      if (line.from <= sealedSeq) return "sealed";
      return headUnsure || (line.head === headSeq && line.from <= line.head + 1) ? "counts" : "conflict";
    case "lease":
      return leaseUnsure || asSeen(state, line.over) ? "counts" : "conflict";
    case "release":
      return leaseUnsure || holds(state, line.fence) ? "counts" : "fenced";
    case "next":
      return line.at === offset ? "counts" : "conflict";
    default:
      return "counts";
  }
}

function holds(state: JournalState, fence: number): boolean {
  return state.lease?.fence === fence;
}

function asSeen({ fence, lease }: JournalState, over: Seen): boolean {
  if (fence !== over.fence || (lease !== undefined) !== over.held) return false;
  if (lease?.turnRunning !== undefined && lease.turnRunning !== over.turn) return false;
  return over.until === undefined || over.until === lease?.expiresAtMs;
}

function applyOp(state: JournalState, line: OpLine, unit: Unit): void {
  switch (line.op) {
    case "seal":
      dropEntries(state.stretches, line.from);
      state.headSeq = line.from - 1;
      addEntries(state, unit);
      state.sealedSeq = state.headSeq;
      state.updatedAtMs = Math.max(state.updatedAtMs, unit.lastAtMs ?? 0);
      return;
    case "set":
      state.facts = Object.freeze(patched(state.facts, frozenCopy(line.patch)));
      state.updatedAtMs = line.patch.updatedAtMs ?? state.updatedAtMs;
      return;
    case "lease":
      state.lease = frozenCopy(line.lease);
      state.fence = line.lease.fence;
      return;
    case "renew":
      if (state.lease && line.holder) state.lease = frozenCopy({ ...state.lease, holder: line.holder });
      return;
    case "release":
      state.lease = undefined;
      return;
    case "fork":
      state.forks.push(line.id);
      return;
    case "delete":
      state.deleted = true;
      return;
    case "next":
      state.next = line.file;
      return;
    case "journal":
    case "torn":
      return;
  }
}

/** Where damage is, `seq` may jump; what a later line says stands in the place of earlier entries. */
export function addEntries(state: JournalState, { entries, through }: Unit): void {
  for (const { seq, offset, end } of entries) {
    if (seq <= state.headSeq) dropEntries(state.stretches, seq);
    addEntry(state.stretches, seq, offset, end);
    state.headSeq = seq;
  }
  if (through !== undefined) state.headSeq = through;
}

function extend(state: JournalState, { by, until, turn, safe = 0 }: Batch): void {
  state.saidSafe = Math.max(state.saidSafe, safe);
  state.safe = Math.max(state.safe, safe);
  state.fence = Math.max(state.fence, by);
  const lease = state.lease ?? { holder: nobody, sinceMs: until };
  state.lease = Object.freeze({ ...lease, fence: by, expiresAtMs: until, turnRunning: turn });
}

/** Holds a lease whose own line was damaged. */
const nobody: Holder = Object.freeze({ host: "", pid: 0, startedAt: "" });
