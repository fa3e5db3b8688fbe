/** Entries in order: a fork's from its parents, older ones from segments, the rest from the journal. */
import fs from "node:fs";
import { promisify } from "node:util";
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { sessionNotFound } from "../refusals.ts";
import type { Entry } from "../contract.ts";
import { entryDamaged } from "./damage.ts";
import { isMissing } from "./fs-errors.ts";
import { parseEntry, type Segment } from "./line.ts";
import { firstRunAt, type Run } from "./runs.ts";
import { readSegment, splitLines } from "./segments.ts";
import type { SessionFile } from "./session-file.ts";

const read = promisify(fs.read);

const pageEntries = 500;
const pageBytes = 1 << 20;

export interface Span {
  readonly from: number;
  readonly through: number;
}

/** Looks a session up, deleted ones that forks still need included. */
export type Find = (id: SessionId) => SessionFile | undefined;

/** Pages of the entries that are in `span` and in the journal as it stands at the first page. */
export async function* readPages(
  find: Find,
  file: SessionFile,
  span: Span,
): AsyncGenerator<readonly Entry[]> {
  let page: Entry[] = [];
  let bytes = 0;
  for await (const entries of readEntries(find, file, span)) {
    for (const entry of entries) {
      page.push(entry);
      bytes += entry.data.length;
      if (page.length < pageEntries && bytes < pageBytes) continue;
      yield page;
      page = [];
      bytes = 0;
    }
  }
  if (page.length > 0) yield page;
}

async function* readEntries(find: Find, file: SessionFile, span: Span): AsyncGenerator<readonly Entry[]> {
  const lineage = file.known?.facts.lineage;
  const inherited = lineage?.atSeq ?? 0;
  if (lineage !== undefined && span.from <= inherited) {
    const parent = find(lineage.parentId);
    if (parent === undefined) throw sessionNotFound(lineage.parentId);
    const through = Math.min(span.through, inherited);
    yield* readEntries(find, parent, { from: span.from, through });
  }
  const from = Math.max(span.from, inherited + 1);
  if (from <= span.through) yield* inOrder(file, from, ownLines(file, { from, through: span.through }));
}

/** Lines and the file that they come from. */
interface Lines {
  readonly source: string;
  readonly lines: readonly Buffer[];
  /** Entries beyond are not to be read from here. */
  readonly through: number;
}

/** Turns lines into entries and sees that none is missing. */
async function* inOrder(
  file: SessionFile,
  from: number,
  groups: AsyncIterable<Lines>,
): AsyncGenerator<readonly Entry[]> {
  let next = from;
  for await (const { source, lines, through } of groups) {
    const entries: Entry[] = [];
    let isSound = true;
    for (const bytes of lines) {
      if (next > through) break;
      const entry = parseEntry(bytes);
      isSound = entry !== undefined && entry.seq <= next;
      if (entry === undefined || !isSound) break;
      if (entry.seq < next) continue;
      entries.push(entry);
      next += 1;
    }
    if (entries.length > 0) yield entries;
    if (!isSound) throw entryDamaged(file.id, next, source);
  }
}

/** The lines that hold a session's own entries in `span`. */
async function* ownLines(file: SessionFile, span: Span): AsyncGenerator<Lines> {
  const state = file.raw();
  if (state === undefined) throw sessionNotFound(file.id);
  const through = Math.min(span.through, state.headSeq);
  // The journal is held open from the start: it may be replaced while segments are read.
  const source = file.name;
  const first = firstRunAt(state.runs, span.from);
  const runs = state.runs.slice(first).map((run) => ({ ...run }));
  const fd = fs.openSync(file.path, "r");
  try {
    let next = span.from;
    for (const segment of state.segments) {
      if (segment.through < next || segment.from > through) continue;
      yield* segmentLines(file, segment, Math.min(through, segment.through), next);
      next = segment.through + 1;
    }
    for (const run of runs) {
      if (run.from > through) break;
      if (run.from > next) throw entryDamaged(file.id, next, source);
      const last = Math.min(through, run.through);
      const lines = await runLines(fd, run);
      yield { source, lines, through: last };
      next = last + 1;
      if (run.from + lines.length < next) throw entryDamaged(file.id, run.from + lines.length, source);
    }
    if (next <= through) throw entryDamaged(file.id, next, source);
  } finally {
    fs.closeSync(fd);
  }
}

async function* segmentLines(
  file: SessionFile,
  segment: Segment,
  through: number,
  from: number,
): AsyncGenerator<Lines> {
  const source = segment.file;
  let passed = segment.from;
  try {
    for await (const lines of readSegment(file.directory, segment)) {
      passed += lines.length;
      if (passed > from) yield { source, lines, through };
      if (passed > through) return;
    }
  } catch (error) {
    if (isSidecarError(error)) throw error;
    if (isMissing(error) && file.raw() === undefined) throw sessionNotFound(file.id);
    throw entryDamaged(file.id, Math.max(passed, from), source);
  }
  if (passed <= through) throw entryDamaged(file.id, passed, source);
}

/** Those lines of a run that still count. */
export async function runLines(fd: number, run: Run): Promise<Buffer[]> {
  const bytes = Buffer.allocUnsafe(run.end - run.offset);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await read(fd, bytes, filled, bytes.length - filled, run.offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return splitLines(bytes.subarray(0, filled)).slice(0, run.through - run.from + 1);
}
