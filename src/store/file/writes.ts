/** What can be written to a session: each act as its lines, and what a refusal of them means. */
import { SidecarError } from "../../base/errors.ts";
import { frozenCopy } from "../copy.ts";
import { alreadySealed, journalConflict, leaseLost, sessionBusy, sessionNotFound } from "../refusals.ts";
import type {
  Acquired,
  Lease,
  LeaseRequest,
  LeaseState,
  NewEntry,
  SessionPatch,
  SessionRecord,
} from "../contract.ts";
import type { Lines } from "./journal-file.ts";
import type { Verdict } from "./judge.ts";
import { encodeEntry, encodeOp, type Batch, type OpLine } from "./line.ts";
import type { SessionFile } from "./session-file.ts";
import { recordOf, type JournalState } from "./state.ts";

const acquireAttempts = 100;

export function append(file: SessionFile, after: number, entries: readonly NewEntry[], lease: Lease): number {
  const [first] = entries;
  if (first === undefined) {
    assertHead(file, after, lease);
    writeOp(file, { op: "renew", batch: batchOf(file, lease, 1) }, lease);
    return after;
  }
  assertOwn(file, lease);
  const batch = batchOf(file, lease, entries.length);
  const texts = entries.map((entry, i) => encodeEntry(after + 1 + i, entry, i === 0 ? batch : undefined));
  const line = { seq: after + 1, at: first.atMs, kind: first.kind, batch };
  const verdict = file.write({ texts, line, firstSeq: after + 1, lastAtMs: entries.at(-1)?.atMs });
  if (verdict === "conflict") throw journalConflict(file.id, after, mustKnow(file).headSeq);
  accept(file, verdict);
  return after + entries.length;
}

export function seal(
  file: SessionFile,
  { from, head }: { readonly from: number; readonly head: number },
  entries: readonly NewEntry[],
  lease: Lease,
): number {
  assertOwn(file, lease);
  const line: OpLine = { op: "seal", from, head, batch: batchOf(file, lease, entries.length + 1) };
  const texts = [encodeOp(line), ...entries.map((entry, i) => encodeEntry(from + i, entry))];
  const verdict = file.write({ texts, line, firstSeq: from, lastAtMs: entries.at(-1)?.atMs });
  if (verdict === "conflict") throw journalConflict(file.id, head, mustKnow(file).headSeq);
  if (verdict === "sealed") throw alreadySealed(file.id, from, mustKnow(file).sealedSeq);
  accept(file, verdict);
  file.checkpoint();
  return from - 1 + entries.length;
}

export function update(file: SessionFile, patch: SessionPatch, lease?: Lease): SessionRecord {
  const batch = lease && { batch: batchOf(file, lease, 1) };
  return recordOf(writeOp(file, { op: "set", patch, ...batch }, lease));
}

export function renew(file: SessionFile, lease: Lease): Lease {
  const { holder, ttlMs } = lease;
  const { lease: kept } = writeOp(file, { op: "renew", holder, batch: batchOf(file, lease, 1) }, lease);
  // What stands behind our line has been taken in as well: it may be a successor's lease.
  if (kept?.fence !== lease.fence) throw leaseLost(file.id, kept);
  return leaseOf(file, kept, ttlMs);
}

export function acquire(file: SessionFile, request: LeaseRequest): Acquired {
  const { holder, ttlMs, mayTake } = request;
  for (let attempt = 0; attempt < acquireAttempts; attempt += 1) {
    const state = file.view();
    if (state === undefined) throw sessionNotFound(file.id);
    const { lease: current, fence, torn } = state;
    const sinceMs = Date.now();
    const ranOut = current !== undefined && current.expiresAtMs <= sinceMs;
    if (current !== undefined && !ranOut && !mayTake(current)) throw sessionBusy(file.id, current);
    const lease = { holder, fence: fence + 1, sinceMs, expiresAtMs: sinceMs + ttlMs, turnRunning: false };
    const seen = { fence, held: current !== undefined, turn: current?.turnRunning ?? false };
    const over = ranOut ? { ...seen, until: current.expiresAtMs } : seen;
    const verdict = file.write(only({ op: "lease", lease, over }));
    if (verdict === "conflict") continue;
    accept(file, verdict);
    return {
      // Ours, whatever has come to stand behind it: a successor's is not for us.
      lease: leaseOf(file, lease, ttlMs),
      ...(current !== undefined && { previous: current }),
      ...(torn && { setAside: "a half-written line at the end of its journal" }),
    };
  }
  throw new SidecarError("STORE_LOCKED", `Others keep taking session ${file.id}; try again`);
}

export function release(file: SessionFile, lease: Lease): void {
  const verdict = file.write(only({ op: "release", fence: lease.fence }));
  if (verdict !== "counts") return;
  file.checkpoint(true);
}

/** Enters a fork in its parent, which then outlives its deletion. False when the parent is deleted. */
export function addFork(parent: SessionFile, id: SessionFile["id"]): boolean {
  return parent.write(only({ op: "fork", id })) === "counts";
}

/** False when somebody else was quicker. */
export function markDeleted(file: SessionFile): boolean {
  return file.write(only({ op: "delete" })) === "counts";
}

function writeOp(file: SessionFile, line: OpLine, lease?: Lease): JournalState {
  if (lease !== undefined) assertOwn(file, lease);
  return accept(file, file.write(only(line)));
}

function only(line: OpLine): Lines {
  return { texts: [encodeOp(line)], line };
}

function batchOf(file: SessionFile, { fence, ttlMs, turnRunning }: Lease, of: number): Batch {
  const { safe, saidSafe } = file.known ?? { safe: 0, saidSafe: 0 };
  const news = safe > saidSafe ? { safe } : {};
  return { of, by: fence, until: Date.now() + ttlMs, turn: turnRunning, ...news };
}

function leaseOf(file: SessionFile, state: LeaseState, ttlMs: number): Lease {
  return frozenCopy({ ...state, sessionId: file.id, ttlMs });
}

/** The state after a write that counts. Errors: what every act is refused with. */
function accept(file: SessionFile, verdict: Verdict): JournalState {
  const state = file.known;
  if (verdict === "gone" || state === undefined) throw sessionNotFound(file.id);
  if (verdict === "fenced") throw leaseLost(file.id, state.lease);
  if (verdict !== "counts") throw journalConflict(file.id, state.headSeq, state.headSeq);
  return state;
}

function assertHead(file: SessionFile, after: number, { fence }: Lease): void {
  const state = file.view();
  if (state === undefined) throw sessionNotFound(file.id);
  if (state.lease?.fence !== fence) throw leaseLost(file.id, state.lease);
  if (state.headSeq !== after) throw journalConflict(file.id, after, state.headSeq);
}

function assertOwn(file: SessionFile, lease: Lease): void {
  if (lease.sessionId !== file.id) throw leaseLost(file.id, file.view()?.lease);
}

function mustKnow(file: SessionFile): JournalState {
  const state = file.known;
  if (state === undefined) throw sessionNotFound(file.id);
  return state;
}
