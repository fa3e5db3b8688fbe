/** Looks at every byte of a session and tells what is sound. */
import { closeSync, existsSync, fstatSync } from "node:fs";
import { isSidecarError, reasonOf } from "../../base/errors.ts";
import { damagedEntries, type Damage } from "../damage.ts";
import type { Entry } from "../../store/contract.ts";
import { JournalFile, readHead } from "../../store/file/journal-file.ts";
import type { Layout } from "../../store/file/layout.ts";
import { parseEntry, type Segment } from "../../store/file/line.ts";
import { stretchesFrom, stretchLines } from "../../store/file/reading.ts";
import { readSegment } from "../../store/file/segments.ts";
import type { SessionFile } from "../../store/file/session-file.ts";
import type { JournalState } from "../../store/file/state.ts";

/** An entry of a session, or nothing where it should be. */
export interface Place {
  readonly seq: number;
  readonly source: Segment | "journal";
  readonly entry: Entry | undefined;
}

/** What of one session is sound; of its own entries only, not those that it inherits. */
export interface Inspection {
  readonly entries: number;
  readonly damage: readonly Damage[];
}

export async function inspect(file: SessionFile, layout: Layout): Promise<Inspection> {
  const sessionId = file.id;
  const damage: Damage[] = [];
  let entries = 0;
  let state: JournalState | undefined;
  try {
    state = file.raw();
  } catch (error) {
    if (!isSidecarError(error, "STORE_CORRUPT")) throw error;
    damage.push({ sessionId, file: file.name, problem: "the session's first line is damaged" });
  }
  if (state === undefined) return { entries, damage };
  if (lacksParent(state, layout)) {
    const through = state.facts.lineage?.atSeq ?? 0;
    const problem = "the session that it inherits from is missing";
    damage.push({ sessionId, entries: { from: 1, through }, file: file.name, problem });
  }
  const found = damage.length;
  for await (const { seq, source, entry } of places(file, state)) {
    if (entry === undefined)
      addLost(damage, found, file, source === "journal" ? file.name : source.file, seq);
    else entries += 1;
  }
  const isKnown = damage.slice(found).some((each) => each.file === file.name);
  const problem = damagedLines(file);
  if (problem !== undefined && !isKnown) damage.push({ sessionId, file: file.name, problem });
  return { entries, damage };
}

export function lacksParent({ facts: { lineage } }: JournalState, layout: Layout): boolean {
  return lineage !== undefined && !existsSync(layout.session(lineage.parentId));
}

/** Every own entry once, in order. Begins at once, because another process may replace the file. */
export async function* places(file: SessionFile, state: JournalState): AsyncGenerator<Place> {
  let next = (state.facts.lineage?.atSeq ?? 0) + 1;
  const missing = function* (before: number, source: Place["source"]): Generator<Place> {
    for (; next < before; next += 1) yield { seq: next, source, entry: undefined };
  };
  const { headSeq } = state;
  const stretches = stretchesFrom(state, 0);
  const fd = file.openToRead();
  try {
    for (const segment of state.segments) {
      yield* missing(segment.from, segment);
      for await (const line of segmentLines(file, segment)) {
        if (next > segment.through) break;
        yield placeOf(next, segment, line);
        next += 1;
      }
      yield* missing(segment.through + 1, segment);
    }
    for (const stretch of stretches) {
      yield* missing(stretch.from, "journal");
      for (const line of await stretchLines(fd, stretch)) {
        yield placeOf(next, "journal", line);
        next += 1;
      }
    }
    yield* missing(headSeq + 1, "journal");
  } finally {
    closeSync(fd);
  }
}

function placeOf(seq: number, source: Place["source"], line: Buffer): Place {
  const entry = parseEntry(line);
  return { seq, source, entry: entry?.seq === seq ? entry : undefined };
}

/** As far as they can be unpacked. */
async function* segmentLines(file: SessionFile, segment: Segment): AsyncGenerator<Buffer> {
  try {
    for await (const lines of readSegment(file.openToRead(segment.file))) yield* lines;
  } catch {
    // What is missing now is reported entry by entry.
  }
}

/** Notes a lost entry, with those before it in one if it follows them. What stands before `from` is of another kind. */
function addLost(damage: Damage[], from: number, { id }: SessionFile, file: string, seq: number): void {
  const last = damage.length > from ? damage.at(-1) : undefined;
  const follows = last?.file === file && last.entries?.through === seq - 1;
  const first = follows ? (last.entries?.from ?? seq) : seq;
  if (follows) damage.pop();
  const entries = { from: first, through: seq };
  damage.push({ sessionId: id, file, entries, problem: damagedEntries(first, seq) });
}

/** What is wrong with the lines of a journal, all read again from the first. */
function damagedLines(file: SessionFile): string | undefined {
  const fd = file.openToRead();
  try {
    const { size, ino } = fstatSync(fd);
    const state = readHead(fd, size);
    if (state === undefined) return "the first line is damaged; the record is known from record.json";
    new JournalFile(fd, state, ino, undefined).refresh();
    const [first] = state.damage;
    return first && `a line at byte ${first.offset}, after entry ${first.afterSeq}, is damaged`;
  } catch (error) {
    return reasonOf(error);
  } finally {
    closeSync(fd);
  }
}
