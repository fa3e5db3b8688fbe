/** What is damaged in a file store, and a store again in which nothing is. */
import fs from "node:fs";
import path from "node:path";
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Damage, Repair } from "../damage.ts";
import { placeholder } from "../../store/placeholder.ts";
import { storeError } from "../../store/file/errors.ts";
import { directoryMode, ifThere, uniqueSuffix } from "../../store/file/files.ts";
import { Layout } from "../../store/file/layout.ts";
import { encodeEntry, type Segment } from "../../store/file/line.ts";
import { goOnInNextJournal, type Beginning } from "../../store/file/next-journal.ts";
import { OpenFiles } from "../../store/file/open-files.ts";
import { segmentName, writeSegment } from "../../store/file/segments.ts";
import { SessionFile } from "../../store/file/session-file.ts";
import { headOf, type JournalState } from "../../store/file/state.ts";
import { inspect, lacksParent, places, type Inspection } from "./inspect.ts";

/** Reads everything in `directory` and changes nothing. Errors: `STORE_…`. */
export async function inspectFileStore(directory: string): Promise<Repair> {
  return { ...(await forEach(directory, inspect)), setAside: [] };
}

/**
 * Keeps every sound entry, puts a message in the place of each lost one, so that all keep their numbers, and
 * sets the damaged files aside in `damaged/`. Sessions that are sound are not touched. Other processes may
 * use the store meanwhile. Errors: `STORE_LOCKED` when a damaged session is written to all the time.
 */
export async function repairFileStore(directory: string): Promise<Repair> {
  const setAside: string[] = [];
  const found = await forEach(directory, async (file, layout) => {
    const inspection = await inspect(file, layout);
    if (inspection.damage.length > 0) setAside.push(await repair(file, layout, inspection.damage));
    return inspection;
  });
  return { ...found, setAside };
}

async function forEach(
  directory: string,
  act: (file: SessionFile, layout: Layout) => Promise<Inspection>,
): Promise<Inspection> {
  const layout = new Layout(path.resolve(directory));
  const open = new OpenFiles(1);
  const damage: Damage[] = [];
  let entries = 0;
  try {
    layout.assertStore();
    for (const id of layout.ids()) {
      const found = await act(new SessionFile(id, layout.session(id), open), layout);
      damage.push(...found.damage);
      entries += found.entries;
    }
  } catch (error) {
    throw storeError(error, layout.root);
  } finally {
    open.close();
  }
  return { entries, damage };
}

/** Returns where the damaged files are, as they were found. */
async function repair(file: SessionFile, layout: Layout, damage: readonly Damage[]): Promise<string> {
  const aside = path.join(layout.damaged, `${file.id}.${uniqueSuffix()}`);
  fs.mkdirSync(layout.damaged, { recursive: true, mode: directoryMode });
  if (isUnreadable(file)) {
    fs.renameSync(file.directory, aside);
    return aside;
  }
  fs.mkdirSync(aside, { mode: directoryMode });
  for (const name of new Set(damage.flatMap((each) => each.file ?? []))) {
    // A segment may be what is missing.
    ifThere(() => fs.copyFileSync(path.join(file.directory, name), path.join(aside, name)));
  }
  if (!(await goOnInNextJournal(file, (state) => mended(file, layout, state)))) throw busy(file.id);
  file.checkpoint(true);
  return aside;
}

function isUnreadable(file: SessionFile): boolean {
  try {
    return file.raw() === undefined;
  } catch {
    // It was reported before, by name.
    return true;
  }
}

/** Sound segments as they are, damaged ones anew, and what the journal holds, with a message for each lost entry. */
async function mended(file: SessionFile, layout: Layout, state: JournalState): Promise<Beginning> {
  const lost = placeholder(state.updatedAtMs);
  const carried: string[] = [];
  const parts = new Map<Segment, { lines: string[]; isSound: boolean }>();
  for (const segment of state.segments) parts.set(segment, { lines: [], isSound: true });
  for await (const { seq, source, entry } of places(file, state)) {
    const line = encodeEntry(seq, entry ?? lost);
    const part = source === "journal" ? undefined : parts.get(source);
    if (part === undefined) {
      carried.push(line);
      continue;
    }
    part.isSound &&= entry !== undefined;
    part.lines.push(line);
  }
  const segments: Segment[] = [];
  const { lineage, ...own } = state.facts;
  const isOrphan = lineage !== undefined && lacksParent(state, layout);
  if (isOrphan) {
    const lines = Array.from({ length: lineage.atSeq }, (_, at) => encodeEntry(at + 1, lost));
    segments.push(await rewritten(file, { from: 1, through: lineage.atSeq }, lines));
  }
  for (const [segment, { lines, isSound }] of parts)
    segments.push(isSound ? segment : await rewritten(file, segment, lines));
  const mendedState = isOrphan ? { ...state, facts: own, record: undefined } : state;
  return { head: headOf(mendedState, segments, carried.length), carried };
}

function rewritten(
  file: SessionFile,
  { from, through }: Pick<Segment, "from" | "through">,
  lines: readonly string[],
): Promise<Segment> {
  const name = segmentName(from, through).replace(".jsonl", `.${uniqueSuffix()}.jsonl`);
  const groups = async function* () {
    yield lines;
  };
  return writeSegment(file.directory, { from, through, file: name }, groups());
}

function busy(id: SessionId): SidecarError {
  return new SidecarError("STORE_LOCKED", `Session ${id} is being written to; end it there and try again`, {
    data: { sessionId: id },
  });
}
