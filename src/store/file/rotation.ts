/** Keeps journals small: final entries go into compressed segments, what seals replaced goes away. */
import { closeSync, openSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { firstRunAt } from "./runs.ts";
import { writeSegment } from "./segments.ts";
import type { SessionFile } from "./session-file.ts";
import type { JournalState } from "./state.ts";
import { carriedFrom, plainLines, switchJournal } from "./switch.ts";

/** Files that an interrupted rotation has left behind are surely nobody's any more. */
const leftOverMs = 24 * 60 * 60 * 1000;

/** Bytes of the journal that a rotation would do away with. */
export function rotatableBytes(state: JournalState): number {
  if (state.sealedSeq < firstInJournal(state)) return 0;
  return state.runs[firstRunAt(state.runs, state.sealedSeq + 1)]?.offset ?? state.offset;
}

/** Moves what is final now. False when it could not be done just now. */
export async function rotate(file: SessionFile): Promise<boolean> {
  const state = file.view();
  if (state === undefined || state.damage.length > 0 || rotatableBytes(state) === 0) return false;
  const span = { from: firstInJournal(state), through: state.sealedSeq };
  const fd = openSync(file.path, "r");
  // Taken now: what is appended meanwhile may go on in the last of these runs.
  const pieces = plainLines(
    file,
    fd,
    state.runs.map((run) => ({ ...run })),
    span,
  );
  const lines = async function* () {
    for await (const piece of pieces) yield Buffer.from(piece.join(""));
  };
  const segment = await writeSegment(file.directory, span, lines()).finally(() => closeSync(fd));
  return file.turnstile.runLong(async () => {
    const switched = await switchJournal(file, async (now) => {
      // Another process has rotated it meanwhile.
      if (firstInJournal(now) !== span.from) return undefined;
      const carried = await carriedFrom(file, now, span.through + 1);
      return { segments: [...now.segments, segment], carried };
    });
    if (switched) await sweep(file);
    return switched;
  });
}

function firstInJournal(state: JournalState): number {
  return (state.segments.at(-1)?.through ?? state.facts.lineage?.atSeq ?? 0) + 1;
}

/** Removes what nothing names and nobody writes. */
async function sweep(file: SessionFile): Promise<void> {
  const named = new Set(file.known?.segments.map((segment) => segment.file));
  for (const name of await fs.readdir(file.directory)) {
    if (named.has(name) || !/^next\.|\.tmp$|\.gz$/.test(name)) continue;
    const target = path.join(file.directory, name);
    const { mtimeMs } = await fs.stat(target);
    if (Date.now() - mtimeMs > leftOverMs) await fs.rm(target, { force: true });
  }
}
