/** `verify` and `recover`: what is damaged in a file store, and a store again in which nothing is. */
import fs from "node:fs/promises";
import path from "node:path";
import { SidecarError, systemCodeOf } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { hole } from "../hole.ts";
import { directoryMode, uniqueSuffix } from "../../store/file/files.ts";
import { storeError } from "../../store/file/fs-errors.ts";
import { inspect, places, type DamageReport } from "./inspect.ts";
import { Layout } from "../../store/file/layout.ts";
import { encodeEntry, type Segment } from "../../store/file/line.ts";
import { OpenFiles } from "../../store/file/open-files.ts";
import { segmentName, writeSegment } from "../../store/file/segments.ts";
import { SessionFile } from "../../store/file/session-file.ts";
import type { JournalState } from "../../store/file/state.ts";
import { switchJournal, type Beginning } from "../../store/file/switch.ts";

export interface FileStoreReport {
  readonly sessions: number;
  /** Sound entries, none counted twice. */
  readonly entries: number;
  readonly damage: readonly DamageReport[];
}

export interface FileStoreRecovery extends FileStoreReport {
  /** Directories with the damaged files as they were found. */
  readonly setAside: readonly string[];
}

/** Reads everything in `directory` and changes nothing. */
export async function verifyFileStore(directory: string): Promise<FileStoreReport> {
  return forEach(directory, inspect);
}

/**
 * Keeps every sound entry, puts a message in the place of each lost one, so that all keep their numbers, and
 * sets the damaged files aside in `damaged/`. Sessions that are sound are not touched. Other processes may
 * use the store meanwhile. Errors: `STORE_LOCKED` when a damaged session is written to all the time.
 */
export async function recoverFileStore(directory: string): Promise<FileStoreRecovery> {
  const setAside: string[] = [];
  const report = await forEach(directory, async (file, layout) => {
    const found = await inspect(file);
    if (found.damage.length > 0) setAside.push(await repair(file, layout, found.damage));
    return found;
  });
  return { ...report, setAside };
}

async function forEach(
  directory: string,
  act: (file: SessionFile, layout: Layout) => Promise<{ entries: number; damage: readonly DamageReport[] }>,
): Promise<FileStoreReport> {
  const layout = new Layout(path.resolve(directory));
  const open = new OpenFiles(1);
  const damage: DamageReport[] = [];
  let sessions = 0;
  let entries = 0;
  try {
    layout.assertStore();
    for (const id of layout.ids()) {
      const found = await act(new SessionFile(id, layout.session(id), open.opened), layout);
      damage.push(...found.damage);
      entries += found.entries;
      sessions += 1;
    }
  } catch (error) {
    throw storeError(error, layout.root);
  } finally {
    open.closeAll();
  }
  return { sessions, entries, damage };
}

async function repair(file: SessionFile, layout: Layout, damage: readonly DamageReport[]): Promise<string> {
  const aside = path.join(layout.damaged, `${file.id}.${uniqueSuffix()}`);
  await fs.mkdir(layout.damaged, { recursive: true, mode: directoryMode });
  if (isUnreadable(file)) {
    await fs.rename(file.directory, aside);
    return aside;
  }
  await fs.mkdir(aside, { mode: directoryMode });
  for (const name of new Set(damage.map((each) => each.file))) {
    await copyIfThere(path.join(file.directory, name), path.join(aside, name));
  }
  if (!(await switchJournal(file, (state) => mended(file, state)))) throw busy(file.id);
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

/** Sound segments as they are, damaged ones anew, and what the journal holds, each hole filled. */
async function mended(file: SessionFile, state: JournalState): Promise<Beginning> {
  const carried: string[] = [];
  const parts = new Map<Segment, { lines: string[]; isSound: boolean }>();
  for (const segment of state.segments) parts.set(segment, { lines: [], isSound: true });
  for await (const { seq, source, entry } of places(file, state)) {
    const line = encodeEntry(seq, entry ?? hole(state.updatedAtMs));
    const part = source === "journal" ? undefined : parts.get(source);
    if (part === undefined) {
      carried.push(line);
      continue;
    }
    part.isSound &&= entry !== undefined;
    part.lines.push(line);
  }
  const segments: Segment[] = [];
  for (const [segment, { lines, isSound }] of parts) {
    segments.push(isSound ? segment : await rewritten(file, segment, lines));
  }
  return { segments, carried };
}

function rewritten(file: SessionFile, { from, through }: Segment, lines: string[]): Promise<Segment> {
  const name = segmentName(from, through).replace(".jsonl", `.${uniqueSuffix()}.jsonl`);
  const source = async function* () {
    yield Buffer.from(lines.join(""));
  };
  return writeSegment(file.directory, { from, through, file: name }, source());
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await fs.copyFile(from, to);
  } catch (error) {
    // A segment may be what is missing.
    if (systemCodeOf(error) !== "ENOENT") throw error;
  }
}

function busy(id: SessionId): SidecarError {
  return new SidecarError("STORE_LOCKED", `Session ${id} is being written to; end it there and try again`, {
    data: { sessionId: id },
  });
}
