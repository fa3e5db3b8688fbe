/**
 * `record.json`: a session at a glance for people, and the place from which a journal need only be read.
 * A hint and never the truth: what does not fit the journal is passed over, and it is not synced.
 */
import fs from "node:fs";
import path from "node:path";
import { crc32 } from "../../base/crc32.ts";
import { ifThere, readAt, replaceFile } from "./files.ts";
import { lineBreak, type HeadLine } from "./line.ts";
import { headOf, stateOf, type JournalState } from "./state.ts";

interface Checkpoint {
  readonly head: HeadLine;
  /** Number of the journal file. */
  readonly journal: number;
  readonly offset: number;
  /** Bytes of the journal that were known to be on the medium. */
  readonly safe?: number;
  /** Checksum of the journal just before `offset`. */
  readonly mark: number;
  /** `[from, through, offset, end]` of each. */
  readonly runs: readonly (readonly [number, number, number, number])[];
}

const fileName = "record.json";
const markBytes = 512;

/** Where a reader of a journal may begin. */
interface Start {
  /** Bytes of the journal that were known to be on the medium, and the last entry then. */
  readonly safe: number;
  readonly headSeq: number;
  /** The state at the checkpoint, if the journal open as `fd` is the one that it was made of. */
  stateIn(fd: number, size: number): JournalState | undefined;
}

/** @param number of the journal that is to be read */
export function readCheckpoint(directory: string, number: number): Start | undefined {
  const text = ifThere(() => fs.readFileSync(path.join(directory, fileName), "utf8"));
  const found = text === undefined ? undefined : parse(text);
  if (found?.journal !== number) return undefined;
  const { safe = 0, head } = found;
  return { safe, headSeq: head.record.headSeq, stateIn: (fd, size) => stateIn(found, fd, size) };
}

/** A power cut may leave anything here; then the journal is read from its beginning. */
function parse(text: string): Checkpoint | undefined {
  try {
    const found = JSON.parse(text) as Partial<Checkpoint> | null;
    return found?.head && found.runs && found.offset ? (found as Checkpoint) : undefined;
  } catch {
    return undefined;
  }
}

function stateIn(found: Checkpoint, fd: number, size: number): JournalState | undefined {
  const { safe = 0, offset } = found;
  if (!(offset <= size) || markAt(fd, offset) !== found.mark) return undefined;
  // A power cut may have lost what was not safe then, and left what stood behind it.
  if (safe < offset && readAt(fd, safe, offset - safe).includes(0)) return undefined;
  const state = stateOf(found.head);
  for (const [from, through, offset, end] of found.runs) state.stretches.push({ from, through, offset, end });
  state.offset = offset;
  state.safe = safe;
  state.saidSafe = safe;
  state.unended = readAt(fd, found.offset - 1, 1)[0] !== lineBreak;
  return state;
}

/**
 * A journal that ends, or whose sound part ends, before what was on the medium is damaged, though it looks like one that
 * went no further, or like an interrupted write.
 */
export function noteLost(state: JournalState, { safe, headSeq }: Start): void {
  const { offset } = state;
  if (offset >= safe) return;
  state.damage.push({ offset, afterSeq: state.headSeq });
  // Before a seal there were more entries than after it: how many are lost nobody knows, but some are.
  state.headSeq = Math.max(state.headSeq + 1, headSeq);
}

/** A directory that is not there any more has been deleted with its session: nobody is left to be hinted. */
export function writeCheckpoint(directory: string, journal: number, fd: number, state: JournalState): void {
  const { offset, segments, safe } = state;
  const found: Checkpoint = {
    head: headOf(state, segments, 0),
    journal,
    offset,
    safe: Math.min(safe, offset),
    mark: markAt(fd, offset),
    runs: state.stretches.map(({ from, through, offset: at, end }) => [from, through, at, end]),
  };
  const { head, ...place } = found;
  const runs = JSON.stringify(place.runs);
  const text = JSON.stringify({ head, ...place, runs: undefined }, null, 1).slice(0, -2);
  ifThere(() => replaceFile(path.join(directory, fileName), `${text},\n "runs": ${runs}\n}\n`));
}

function markAt(fd: number, offset: number): number {
  const from = Math.max(0, offset - markBytes);
  return crc32(readAt(fd, from, offset - from));
}
