/** Looks at every byte of a session and tells what is sound. */
import { closeSync, openSync } from "node:fs";
import fs from "node:fs/promises";
import { isSidecarError, reasonOf } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { lostEntries } from "../hole.ts";
import type { Entry } from "../../store/contract.ts";
import { JournalFile, readHead } from "../../store/file/journal-file.ts";
import { parseEntry, type Segment } from "../../store/file/line.ts";
import { runLines } from "../../store/file/reading.ts";
import { readSegment } from "../../store/file/segments.ts";
import type { SessionFile } from "../../store/file/session-file.ts";
import type { JournalState } from "../../store/file/state.ts";

/** One place that is not as it was written. */
export interface DamageReport {
  readonly sessionId: SessionId;
  readonly file: string;
  /** Entries that are lost with it. */
  readonly entries?: { readonly from: number; readonly through: number };
  readonly reason: string;
}

/** An entry of a session, or the hole where it should be. */
export interface Place {
  readonly seq: number;
  readonly source: Segment | "journal";
  readonly entry: Entry | undefined;
}

/** Damage of one session; its own entries only, not those that it inherits. */
export async function inspect(file: SessionFile): Promise<{ entries: number; damage: DamageReport[] }> {
  const sessionId = file.id;
  const damage: DamageReport[] = [];
  let entries = 0;
  let state: JournalState | undefined;
  try {
    state = file.raw();
  } catch (error) {
    if (!isSidecarError(error, "STORE_CORRUPT")) throw error;
    damage.push({ sessionId, file: file.name, reason: "the session's first line is damaged" });
  }
  if (state === undefined) return { entries, damage };
  for await (const { seq, source, entry } of places(file, state)) {
    if (entry === undefined) addHole(damage, sessionId, source === "journal" ? file.name : source.file, seq);
    else entries += 1;
  }
  const known = damage.some(({ file: damaged }) => damaged === file.name);
  const lines = await damagedLines(file);
  if (lines !== undefined && !known) damage.push({ sessionId, file: file.name, reason: lines });
  return { entries, damage };
}

/** Every own entry once, in order. Begins at once, for another process may replace the file. */
export async function* places(file: SessionFile, state: JournalState): AsyncGenerator<Place> {
  let next = (state.facts.lineage?.atSeq ?? 0) + 1;
  const holes = function* (before: number, source: Place["source"]): Generator<Place> {
    for (; next < before; next += 1) yield { seq: next, source, entry: undefined };
  };
  const { headSeq } = state;
  const runs = state.runs.map((run) => ({ ...run }));
  const fd = openSync(file.path, "r");
  try {
    for (const segment of state.segments) {
      yield* holes(segment.from, segment);
      for await (const line of segmentLines(file, segment)) {
        if (next > segment.through) break;
        yield placeOf(next, segment, line);
        next += 1;
      }
      yield* holes(segment.through + 1, segment);
    }
    for (const run of runs) {
      yield* holes(run.from, "journal");
      for (const line of await runLines(fd, run)) {
        yield placeOf(next, "journal", line);
        next += 1;
      }
    }
    yield* holes(headSeq + 1, "journal");
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
    for await (const lines of readSegment(file.directory, segment)) yield* lines;
  } catch {
    // What is missing now is reported entry by entry.
  }
}

function addHole(damage: DamageReport[], sessionId: SessionId, file: string, seq: number): void {
  const last = damage.at(-1);
  const follows = last?.file === file && last.entries?.through === seq - 1;
  const from = follows ? (last.entries?.from ?? seq) : seq;
  if (follows) damage.pop();
  damage.push({ sessionId, file, entries: { from, through: seq }, reason: lostEntries(from, seq) });
}

/** What is wrong with the lines of a journal, all read again from the first. */
async function damagedLines(file: SessionFile): Promise<string | undefined> {
  const handle = await fs.open(file.path, "r");
  try {
    const { size, ino } = await handle.stat();
    const state = readHead(handle.fd, size);
    if (state === undefined) return "the first line is damaged; the record is known from record.json";
    new JournalFile(handle.fd, state, ino, undefined).refresh();
    const [first] = state.damage;
    return first && `a line at byte ${first.offset}, behind entry ${first.afterSeq}, is damaged`;
  } catch (error) {
    return reasonOf(error);
  } finally {
    await handle.close();
  }
}
