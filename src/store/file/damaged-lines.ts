/** What can still be told of lines that are not as they were written. */
import type { EntryPlace, Unit } from "./judge.ts";
import { lineAt, timeOf, type EntryLine, type OpLine, type Slice } from "./line.ts";
import type { DamagedBytes } from "./state.ts";

export interface DamagedBatch {
  readonly unit: Unit;
  readonly damage: readonly DamagedBytes[];
  /** Its last entry is there, so nothing but entries of its own is damaged. */
  readonly isEnded: boolean;
}

/** A batch whose first line is sound and says which entries follow; undefined when there is none at `at`. */
export function damagedBatch(slice: Slice, at: number): DamagedBatch | undefined {
  const first = lineAt(slice, at);
  const line = first?.parsed;
  const span = line && promised(line);
  if (first === undefined || line === undefined || span === undefined) return undefined;
  const { base, bytes } = slice;
  const offset = base + at;
  const isEntry = "seq" in line;
  const entries: EntryPlace[] = isEntry ? [{ seq: line.seq, offset, end: base + first.end }] : [];
  let seq = isEntry ? span.from : span.from - 1;
  let lastAtMs = isEntry ? timeOf(line) : undefined;
  const damage: DamagedBytes[] = [];
  // Where something is damaged an entry is lost. If none is missing, what follows is another batch's.
  let least = seq + 1;
  let end = first.end;
  while (seq < span.through && end < bytes.length) {
    const next = lineAt(slice, end);
    const entry = next?.parsed;
    const place = { offset: base + end, end: base + (next?.end ?? bytes.length) };
    if (entry === undefined) {
      damage.push({ offset: place.offset, afterSeq: seq });
      least = seq + 2;
    } else if ("seq" in entry && !entry.batch && entry.seq >= least && entry.seq <= span.through) {
      entries.push({ seq: entry.seq, ...place });
      ({ seq } = entry);
      least = seq + 1;
      lastAtMs = timeOf(entry);
    } else {
      break;
    }
    end = place.end - base;
  }
  // Lines may be missing altogether.
  if (damage.length === 0) damage.push({ offset: base + end, afterSeq: seq });
  const unit = { line, entries, through: span.through, lastAtMs, offset, end: base + end };
  return { unit, damage, isEnded: seq === span.through };
}

/** Which entries a batch has, by its first line. */
function promised(line: EntryLine | OpLine): { from: number; through: number } | undefined {
  if ("seq" in line) return line.batch && { from: line.seq, through: line.seq + line.batch.of - 1 };
  if (line.op === "seal") return { from: line.from, through: line.from + line.batch.of - 2 };
  if (line.op !== "journal") return undefined;
  const { headSeq } = line.record;
  return { from: headSeq - line.of + 2, through: headSeq };
}

const releaseStart = `{"op":"release"`;
/** No entry and no seal would fit in behind that. */
const releaseBytes = 64;

/** Whether it surely is a `release`, which a journal mostly ends with, so that nothing else is damaged. */
export function isRelease(bytes: Buffer): boolean {
  return bytes.length <= releaseBytes && bytes.toString("latin1", 0, releaseStart.length) === releaseStart;
}
