/** What can be written to a session: each act as its lines, and the rule by which it is refused. */
import { SidecarError } from "../../base/errors.ts";
import { leaseLost, sessionNotFound } from "../refusals.ts";
import { checkAppend, checkLease, checkSeal, isInForce, takeLease } from "../rules.ts";
import type {
  Acquired,
  Lease,
  LeaseRequest,
  NewEntry,
  SealRange,
  SessionPatch,
  SessionRecord,
} from "../contract.ts";
import type { Lines } from "./journal-file.ts";
import { lineOf, encodeOp, type Batch, type OpLine } from "./line.ts";
import type { SessionFile } from "./session-file.ts";
import { recordOf, type JournalState } from "./state.ts";

const attempts = 100;

export function append(file: SessionFile, after: number, entries: readonly NewEntry[], lease: Lease): number {
  const check = ({ headSeq }: JournalState) => checkAppend(file.id, headSeq, after);
  const [first] = entries;
  if (first === undefined) {
    const state = file.view();
    if (state !== undefined && state.lease?.fence === lease.fence) check(state);
    write(file, only({ op: "renew", batch: batchOf(file, lease, 1) }), lease);
    return after;
  }
  const batch = batchOf(file, lease, entries.length);
  const texts = entries.map((entry, i) => lineOf(after + 1 + i, entry, i === 0 ? batch : undefined));
  const line = { seq: after + 1, at: first.atMs, kind: first.kind, batch };
  write(file, { texts, line, firstSeq: after + 1, lastAtMs: entries.at(-1)?.atMs }, lease, check);
  return after + entries.length;
}

export function seal(
  file: SessionFile,
  range: SealRange,
  entries: readonly NewEntry[],
  lease: Lease,
): number {
  const { from, head } = range;
  const line: OpLine = { op: "seal", from, head, batch: batchOf(file, lease, entries.length + 1) };
  const texts = [encodeOp(line), ...entries.map((entry, i) => lineOf(from + i, entry))];
  const lines = { texts, line, firstSeq: from, lastAtMs: entries.at(-1)?.atMs };
  write(file, lines, lease, (state) => checkSeal(file.id, state, range));
  file.checkpoint();
  return from - 1 + entries.length;
}

export function update(file: SessionFile, patch: SessionPatch, lease?: Lease): SessionRecord {
  const batch = lease && { batch: batchOf(file, lease, 1) };
  return recordOf(write(file, only({ op: "set", patch, ...batch }), lease));
}

export function renew(file: SessionFile, lease: Lease): Lease {
  const { holder, sessionId, ttlMs } = lease;
  const state = write(file, only({ op: "renew", holder, batch: batchOf(file, lease, 1) }), lease);
  // What stands behind our line has been taken in as well: it may be a successor's lease.
  if (state.lease?.fence !== lease.fence) throw leaseLost(file.id, state.lease);
  return Object.freeze({ ...state.lease, sessionId, ttlMs });
}

export function acquire(file: SessionFile, request: LeaseRequest): Acquired {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const state = file.view();
    if (state === undefined) throw sessionNotFound(file.id);
    const { lease: current, fence, torn } = state;
    const nowMs = Date.now();
    // Ours, whatever will come to stand behind it: a successor's is not for us.
    const acquired = takeLease(file.id, state, request, nowMs);
    const { sessionId: _, ttlMs: _ttl, ...lease } = acquired.lease;
    const seen = { fence, held: current !== undefined, turn: current?.turnRunning ?? false };
    const until = current?.expiresAtMs;
    const over = until === undefined || isInForce(current, nowMs) ? seen : { ...seen, until };
    const verdict = file.write(only({ op: "lease", lease, over }));
    if (verdict === "gone") throw sessionNotFound(file.id);
    if (verdict !== "counts") continue;
    return { ...acquired, ...(torn && { setAside: "a half-written line at the end of its journal" }) };
  }
  throw othersKeepWriting(file);
}

export function release(file: SessionFile, lease: Lease): void {
  const verdict = file.write(only({ op: "release", fence: lease.fence }));
  if (verdict === "counts") file.checkpoint(true);
}

/** Enters a fork in its parent, which then outlives its deletion. False when the parent is deleted. */
export function addFork(parent: SessionFile, id: SessionFile["id"]): boolean {
  return parent.write(only({ op: "fork", id })) === "counts";
}

/** False when somebody else was quicker. Errors: `LEASE_LOST`. */
export function markDeleted(file: SessionFile, lease: Lease | undefined): boolean {
  if (lease === undefined) return file.write(only({ op: "delete" })) === "counts";
  if (lease.sessionId !== file.id) throw leaseLost(file.id, file.view()?.lease);
  const verdict = file.write(only({ op: "delete", batch: batchOf(file, lease, 1) }));
  if (verdict === "fenced") throw leaseLost(file.id, file.view()?.lease);
  return verdict === "counts";
}

function only(line: OpLine): Lines {
  return { texts: [encodeOp(line)], line };
}

function batchOf(file: SessionFile, { fence, ttlMs, turnRunning }: Lease, of: number): Batch {
  const { safe, saidSafe } = file.known ?? { safe: 0, saidSafe: 0 };
  const news = safe > saidSafe ? { safe } : {};
  return { of, by: fence, until: Date.now() + ttlMs, turn: turnRunning, ...news };
}

/**
 * The state after lines that count. If they do not, the rules say why, by what others have written meanwhile.
 * @param check the act's own rule
 */
function write(
  file: SessionFile,
  lines: Lines,
  lease: Lease | undefined,
  check: (state: JournalState) => void = () => undefined,
): JournalState {
  const { id } = file;
  // In the file, a fence is the session's own.
  if (lease !== undefined && lease.sessionId !== id) throw leaseLost(id, file.view()?.lease);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const verdict = file.write(lines);
    const state = file.known;
    if (verdict === "gone" || state === undefined) throw sessionNotFound(id);
    if (verdict === "counts") return state;
    if (lease !== undefined) checkLease(id, state.lease, lease);
    check(state);
  }
  throw othersKeepWriting(file);
}

export function othersKeepWriting({ id }: SessionFile): SidecarError {
  return new SidecarError("STORE_LOCKED", `Others keep writing to session ${id}; try again`);
}
