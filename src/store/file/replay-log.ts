/**
 * Reads a journal's bytes into its state, unit by unit. A unit is one line, or the lines of one batch.
 *
 * What is not sound is one of three things. An interrupted write leaves the beginning of a unit at the end of
 * the file, or before a `torn` line that names its place: that never counted and is passed over. A power cut
 * may lose writes before others, and leaves NULs where they were: there the journal ends, because a sync is of
 * the whole file, so nothing behind was ever safe. Anything else is damage: noted in the state, and lines behind it
 * are still taken in. No damage goes without a word: an entry that was damaged is missing in its place, and where
 * nobody can tell what was damaged, one is missing at the end, or all that a lost seal may have replaced.
 */
import { damagedBatch, isRelease, type DamagedBatch } from "./damaged-lines.ts";
import { addEntries, apply, type EntryPlace, type Unit, type Verdict } from "./judge.ts";
import { lineAt, lineBreak, parseLine, timeOf, type Batch, type Slice } from "./line.ts";
import { markUncertain, stateOf, type JournalState } from "./state.ts";

export type Listener = (offset: number, verdict: Verdict) => void;

/** Takes in what it can; what it leaves (from `state.offset`) is incomplete. */
export function replayLog(state: JournalState, slice: Slice, heard?: Listener): void {
  let at = state.offset - slice.base;
  state.torn = false;
  state.unended = slice.bytes.at(-1) !== lineBreak;
  while (at < slice.bytes.length) {
    if (slice.bytes[at] === lineBreak) {
      at += 1;
      state.offset = slice.base + at;
      continue;
    }
    const unit = unitAt(slice, at);
    if (typeof unit === "object") {
      const verdict = apply(state, unit);
      heard?.(unit.offset, verdict);
      at = unit.end - slice.base;
      continue;
    }
    const behind = unit === "unsound" ? behindTorn(slice, at) : undefined;
    if (behind === undefined && (unit === "incomplete" || !slice.isLast || wasNeverSafe(slice, at))) {
      state.torn = slice.isLast;
      return;
    }
    if (behind === undefined) passDamage(state, slice, at);
    else state.offset = slice.base + behind;
    at = state.offset - slice.base;
  }
}

/** The state that a journal file begins with, or undefined when its first line is not sound. */
export function replayHead(slice: Slice): JournalState | "incomplete" | undefined {
  const first = lineAt(slice, 0);
  if (first === undefined) return slice.isLast ? undefined : "incomplete";
  const head = first.parsed;
  if (head === undefined || !("op" in head) || head.op !== "journal") return undefined;
  const whole = unitAt(slice, 0);
  const isWhole = typeof whole === "object";
  if (!isWhole && !slice.isLast) return "incomplete";
  const batch = isWhole ? { unit: whole, damage: [], isEnded: true } : damagedBatch(slice, 0);
  if (batch === undefined) return undefined;
  const state = stateOf(head);
  const { headSeq } = state;
  state.headSeq = headSeq - head.of + 1;
  addEntries(state, batch.unit);
  state.offset = batch.unit.end;
  noteDamage(state, batch);
  return state.headSeq === headSeq ? state : undefined;
}

function unitAt(slice: Slice, at: number): Unit | "incomplete" | "unsound" {
  const first = lineAt(slice, at);
  if (first === undefined) return "incomplete";
  const line = first.parsed;
  if (line === undefined) return "unsound";
  const batch: Partial<Batch> | undefined =
    "op" in line && line.op === "journal" ? line : "batch" in line ? line.batch : undefined;
  if ("seq" in line && batch === undefined) return "unsound";
  const offset = slice.base + at;
  const entries: EntryPlace[] = "seq" in line ? [{ seq: line.seq, offset, end: slice.base + first.end }] : [];
  let lastAtMs = "seq" in line ? timeOf(line) : undefined;
  let end = first.end;
  for (let rest = (batch?.of ?? 1) - 1; rest > 0; rest -= 1) {
    const next = lineAt(slice, end);
    if (next === undefined) return "incomplete";
    const entry = next.parsed;
    if (entry === undefined || !("seq" in entry) || entry.batch !== undefined) return "unsound";
    if (entries.length > 0 && entry.seq !== (entries.at(-1)?.seq ?? 0) + 1) return "unsound";
    entries.push({ seq: entry.seq, offset: slice.base + end, end: slice.base + next.end });
    lastAtMs = timeOf(entry);
    end = next.end;
  }
  return { line, entries, lastAtMs, offset, end: slice.base + end };
}

/** Where the bytes go on behind a `torn` line that names the place `at`. */
function behindTorn(slice: Slice, at: number): number | undefined {
  const mark = `\n{"op":"torn","from":${slice.base + at},`;
  const found = slice.bytes.indexOf(mark, at, "latin1");
  const line = found < 0 ? undefined : lineAt(slice, found + 1);
  return line?.parsed === undefined ? undefined : line.end;
}

/** Whether what is unsound at `at` is a write that a power cut has lost, and not damage of what was safe. */
function wasNeverSafe({ bytes, base }: Slice, at: number): boolean {
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
function passDamage(state: JournalState, slice: Slice, at: number): void {
  const batch = damagedBatch(slice, at);
  if (batch === undefined) return passLine(state, slice, at);
  const counts = apply(state, batch.unit) === "counts";
  noteDamage(state, batch, counts);
}

function noteDamage(state: JournalState, { damage, isEnded }: DamagedBatch, counts = true): void {
  state.damage.push(...damage);
  if (isEnded) return;
  // If the batch counts, its last entry is missing already.
  state.headUnsure ||= counts;
  markUncertain(state);
}

/** A damaged line, or an entry whose batch has lost its first line. */
function passLine(state: JournalState, slice: Slice, at: number): void {
  const line = lineAt(slice, at);
  const offset = slice.base + at;
  const end = slice.base + (line?.end ?? slice.bytes.length);
  const sound = line?.parsed;
  state.offset = end;
  if (sound !== undefined && "seq" in sound) {
    const entries = [{ seq: sound.seq, offset, end }];
    const verdict = apply(state, { line: sound, entries, lastAtMs: timeOf(sound), offset, end });
    if (verdict !== "conflict") return;
  }
  state.damage.push({ offset, afterSeq: state.headSeq });
  if (isRelease(slice.bytes.subarray(at, end - slice.base))) state.leaseUnsure = true;
  else markUncertain(state);
}
