/** Entries in order: a fork's from its parents, older ones from segments, the rest from the journal. */
import fs from "node:fs";
import { promisify } from "node:util";
import type { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { sessionNotFound } from "../refusals.ts";
import type { Entry } from "../contract.ts";
import { entryDamaged } from "../reading.ts";
import { isMissing, parentMissing } from "./errors.ts";
import { ifThere } from "./files.ts";
import { parseEntry, type Segment } from "./line.ts";
import { isUnpackingError, readSegment, splitLines } from "./segments.ts";
import type { SessionFile } from "./session-file.ts";
import { firstStretchAt, type JournalState, type Stretch } from "./state.ts";

const read = promisify(fs.read);

const pageEntries = 500;
const pageBytes = 1 << 20;

export interface Span {
  readonly from: number;
  readonly through: number;
}

/** Looks a session up, deleted ones that forks still need included. */
type Find = (id: SessionId) => SessionFile | undefined;

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

/** Begins with what is inherited. */
async function* readEntries(find: Find, file: SessionFile, span: Span): AsyncGenerator<readonly Entry[]> {
  for (const { owner, from, through } of partsOf(find, file, span)) {
    yield* inOrder(
      owner,
      from,
      ownLines(owner, { from, through }, () => gone(file, owner.id, from)),
    );
  }
}

interface Part extends Span {
  readonly owner: SessionFile;
}

/** Whose entries those in `span` are: the oldest ancestor's first, the session's own last. */
function partsOf(find: Find, file: SessionFile, { from, through }: Span): Part[] {
  const parts: Part[] = [];
  for (let owner = file, last = through; ;) {
    const lineage = owner.known?.facts.lineage;
    const inherited = lineage?.atSeq ?? 0;
    const first = Math.max(from, inherited + 1);
    if (first <= last) parts.push({ owner, from: first, through: last });
    if (lineage === undefined || from > inherited) return parts.reverse();
    const parent = find(lineage.parentId);
    if (parent === undefined) throw gone(file, lineage.parentId, from);
    owner = parent;
    last = Math.min(last, inherited);
  }
}

/** Why entries of `owner` cannot be read for `reader`: that was deleted as well, or the store is damaged. */
function gone(reader: SessionFile, owner: SessionId, seq: number): SidecarError {
  return reader.raw() === undefined ? sessionNotFound(reader.id) : parentMissing(reader.id, owner, seq);
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

/** The lines that hold a session's own entries in `span`; some before it may come with them. */
export async function* ownLines(
  file: SessionFile,
  span: Span,
  gone: () => SidecarError,
): AsyncGenerator<Lines> {
  const opened = openedToRead(file);
  if (opened === undefined) throw gone();
  // The journal is held open from the start: it may be replaced while segments are read.
  const { state, fd, name: source } = opened;
  try {
    const through = Math.min(span.through, state.headSeq);
    const stretches = stretchesFrom(state, span.from);
    let next = span.from;
    for (const segment of state.segments) {
      if (segment.through < next || segment.from > through) continue;
      const last = Math.min(through, segment.through);
      const isThere = yield* segmentLines(file, segment, { from: next, through: last }, gone);
      if (!isThere) {
        yield* ownLines(file, { from: next, through }, gone);
        return;
      }
      next = segment.through + 1;
    }
    for (const stretch of stretches) {
      if (stretch.from > through) break;
      if (stretch.from > next) throw entryDamaged(file.id, next, source);
      const last = Math.min(through, stretch.through);
      const lines = await stretchLines(fd, stretch);
      yield { source, lines, through: last };
      next = last + 1;
      const read = stretch.from + lines.length;
      if (read < next) throw entryDamaged(file.id, read, source);
    }
    if (next <= through) throw entryDamaged(file.id, next, source);
  } finally {
    fs.closeSync(fd);
  }
}

const openAttempts = 10;

/** The journal as it stands; undefined when it is not there. Another process may replace it between two steps. */
export function openedToRead(
  file: SessionFile,
): { readonly state: JournalState; readonly fd: number; readonly name: string } | undefined {
  for (let attempt = 0; attempt < openAttempts; attempt += 1) {
    const state = file.raw();
    if (state === undefined) return undefined;
    const { name } = file;
    const fd = ifThere(() => file.openToRead());
    if (fd !== undefined) return { state, fd, name };
  }
  return undefined;
}

/** The stretches with entries from `seq` on, as they are now: what is appended may go on in the last of them. */
export function stretchesFrom({ stretches }: JournalState, seq: number): Stretch[] {
  return stretches.slice(firstStretchAt(stretches, seq)).map((stretch) => ({ ...stretch }));
}

/** False when others have written it anew under another name before it was read. */
async function* segmentLines(
  file: SessionFile,
  segment: Segment,
  { from, through }: Span,
  gone: () => SidecarError,
): AsyncGenerator<Lines, boolean> {
  const source = segment.file;
  let passed = segment.from;
  try {
    for await (const lines of readSegment(file.openToRead(source))) {
      passed += lines.length;
      if (passed > from) yield { source, lines, through };
      if (passed > through) return true;
    }
  } catch (error) {
    if (isMissing(error)) {
      const now = file.raw();
      if (now === undefined) throw gone();
      if (!now.segments.some((each) => each.file === source)) return false;
    }
    if (!isMissing(error) && !isUnpackingError(error)) throw error;
    throw entryDamaged(file.id, Math.max(passed, from), source);
  }
  if (passed <= through) throw entryDamaged(file.id, passed, source);
  return true;
}

/** Those lines of a stretch that still count. */
export async function stretchLines(fd: number, { from, through, offset, end }: Stretch): Promise<Buffer[]> {
  const bytes = Buffer.allocUnsafe(end - offset);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await read(fd, bytes, filled, bytes.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return splitLines(bytes.subarray(0, filled)).slice(0, through - from + 1);
}
