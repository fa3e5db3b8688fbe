/**
 * Takes the bytes of a journal in, unit by unit. A unit is one line, or the lines of one batch.
 *
 * What is not sound is one of three things. An interrupted write leaves the beginning of a unit at the end of
 * the file, or before a `torn` line that names its place: that never counted and is passed over. A power cut
 * may lose writes before others, and leaves NULs where they were: there the journal ends, for a sync is of the
 * whole file, so nothing behind was ever safe. Anything else is damage: noted in the state, and lines behind it
 * are still taken in. No damage goes without a word: an entry that was damaged is missing in its place, and where
 * nobody can tell what was damaged, one is missing at the end, or all that a lost seal may have replaced.
 */
import { damagedBatch, isRelease, type DamagedBatch } from "./damaged-lines.ts";
import { doubt } from "./doubt.ts";
import { parseLine, timeOf, type Batch } from "./line.ts";
import { lineAt, lineBreak, type Piece } from "./piece.ts";
import {
  addEntries,
  apply,
  stateOf,
  type EntryPlace,
  type JournalState,
  type Unit,
  type Verdict,
} from "./state.ts";

export type Listener = (offset: number, verdict: Verdict) => void;

/** Takes in what it can; what it leaves (from `state.offset`) is incomplete. */
export function fold(state: JournalState, piece: Piece, heard?: Listener): void {
  let at = state.offset - piece.base;
  state.torn = false;
  state.unended = piece.bytes.at(-1) !== lineBreak;
  while (at < piece.bytes.length) {
    if (piece.bytes[at] === lineBreak) {
      at += 1;
      state.offset = piece.base + at;
      continue;
    }
    const unit = unitAt(piece, at);
    if (typeof unit === "object") {
      const verdict = apply(state, unit);
      heard?.(unit.offset, verdict);
      at = unit.end - piece.base;
      continue;
    }
    const behind = unit === "unsound" ? behindTorn(piece, at) : undefined;
    if (behind === undefined && (unit === "incomplete" || !piece.last || wasNeverSafe(piece, at))) {
      state.torn = piece.last;
      return;
    }
    if (behind === undefined) passDamage(state, piece, at);
    else state.offset = piece.base + behind;
    at = state.offset - piece.base;
  }
}

/** The state that a journal file begins with, or undefined when its first line is not sound. */
export function foldHead(piece: Piece): JournalState | "incomplete" | undefined {
  const first = lineAt(piece, 0);
  if (first === undefined) return piece.last ? undefined : "incomplete";
  const head = first.parsed;
  if (head === undefined || !("op" in head) || head.op !== "journal") return undefined;
  const whole = unitAt(piece, 0);
  const isWhole = typeof whole === "object";
  if (!isWhole && !piece.last) return "incomplete";
  const batch = isWhole ? { unit: whole, damage: [], isEnded: true } : damagedBatch(piece, 0);
  if (batch === undefined) return undefined;
  const state = stateOf(head);
  const { headSeq } = state;
  state.headSeq = headSeq - head.of + 1;
  addEntries(state, batch.unit);
  state.offset = batch.unit.end;
  noteDamage(state, batch);
  return state.headSeq === headSeq ? state : undefined;
}

function unitAt(piece: Piece, at: number): Unit | "incomplete" | "unsound" {
  const first = lineAt(piece, at);
  if (first === undefined) return "incomplete";
  const line = first.parsed;
  if (line === undefined) return "unsound";
  const batch: Partial<Batch> | undefined =
    "op" in line && line.op === "journal" ? line : "batch" in line ? line.batch : undefined;
  if ("seq" in line && batch === undefined) return "unsound";
  const offset = piece.base + at;
  const entries: EntryPlace[] = "seq" in line ? [{ seq: line.seq, offset, end: piece.base + first.end }] : [];
  let lastAtMs = "seq" in line ? timeOf(line) : undefined;
  let end = first.end;
  for (let rest = (batch?.of ?? 1) - 1; rest > 0; rest -= 1) {
    const next = lineAt(piece, end);
    if (next === undefined) return "incomplete";
    const entry = next.parsed;
    if (entry === undefined || !("seq" in entry) || entry.batch !== undefined) return "unsound";
    if (entries.length > 0 && entry.seq !== (entries.at(-1)?.seq ?? 0) + 1) return "unsound";
    entries.push({ seq: entry.seq, offset: piece.base + end, end: piece.base + next.end });
    lastAtMs = timeOf(entry);
    end = next.end;
  }
  return { line, entries, lastAtMs, offset, end: piece.base + end };
}

/** Where the bytes go on behind a `torn` line that names the place `at`. */
function behindTorn(piece: Piece, at: number): number | undefined {
  const mark = `\n{"op":"torn","from":${piece.base + at},`;
  const found = piece.bytes.indexOf(mark, at, "latin1");
  const line = found < 0 ? undefined : lineAt(piece, found + 1);
  return line?.parsed === undefined ? undefined : line.end;
}

/** Whether what is unsound at `at` is a write that a power cut has lost, and not damage of what was safe. */
function wasNeverSafe({ bytes, base }: Piece, at: number): boolean {
  const hole = bytes.indexOf(0, at);
  if (hole < 0) return false;
  for (let from = at, end = at; from < bytes.length; from = end + 1) {
    end = bytes.indexOf(lineBreak, from);
    if (end < 0) return true;
    const line = parseLine(bytes.subarray(from, end));
    if (line === undefined && from < end && end < hole) return false;
    const safe = line !== undefined && "batch" in line ? line.batch?.safe : undefined;
    if (safe !== undefined && safe > base + hole) return false;
  }
  return true;
}

/** Notes what is damaged, and takes in what is sound of the batch there. */
function passDamage(state: JournalState, piece: Piece, at: number): void {
  const batch = damagedBatch(piece, at);
  if (batch === undefined) return passLine(state, piece, at);
  const counts = apply(state, batch.unit) === "counts";
  noteDamage(state, batch, counts);
}

function noteDamage(state: JournalState, { damage, isEnded }: DamagedBatch, counts = true): void {
  state.damage.push(...damage);
  if (isEnded) return;
  // If the batch counts, its last entry is missing already.
  state.headUnsure ||= counts;
  doubt(state);
}

/** A damaged line, or an entry whose batch has lost its first line. */
function passLine(state: JournalState, piece: Piece, at: number): void {
  const line = lineAt(piece, at);
  const offset = piece.base + at;
  const end = piece.base + (line?.end ?? piece.bytes.length);
  const sound = line?.parsed;
  state.offset = end;
  if (sound !== undefined && "seq" in sound) {
    const entries = [{ seq: sound.seq, offset, end }];
    const verdict = apply(state, { line: sound, entries, lastAtMs: timeOf(sound), offset, end });
    if (verdict !== "conflict") return;
  }
  state.damage.push({ offset, bytes: end - offset, afterSeq: state.headSeq });
  if (isRelease(piece.bytes.subarray(at, end - piece.base))) state.leaseUnsure = true;
  else doubt(state);
}
