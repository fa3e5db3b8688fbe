/**
 * Lets a session go on in a new journal file. The new file is whole and synced before the last line of the
 * old one names it, and that line counts only if nothing came between: up to it the old file is the session,
 * from it on the new one. Whoever comes by afterwards gives the new file its name and removes the old one.
 */
import { closeSync, openSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { SidecarError } from "../../base/errors.ts";
import { fileMode, uniqueSuffix } from "./files.ts";
import { encodeEntry, encodeOp, parseEntry, type OpLine, type Segment } from "./line.ts";
import { runLines, type Span } from "./reading.ts";
import { firstRunAt, type Run } from "./runs.ts";
import type { SessionFile } from "./session-file.ts";
import { headOf, type JournalState } from "./state.ts";

const attempts = 5;

/** What a new journal file starts with. */
export interface Beginning {
  readonly segments: readonly Segment[];
  /** Texts of the entries behind the segments, with nothing of the batches that they came in. */
  readonly carried: readonly string[];
}

/**
 * `begin` gives the new file's beginning, or nothing when there is no need any more. False when all stayed as
 * it was, for that reason, or because others kept writing or removed the session.
 */
export async function switchJournal(
  file: SessionFile,
  begin: (state: JournalState) => Promise<Beginning | undefined>,
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const state = file.raw();
    const journal = file.journal;
    if (state === undefined || journal === undefined) return false;
    const { offset } = state;
    const beginning = await begin(state);
    if (beginning === undefined) return false;
    const { segments, carried } = beginning;
    const name = `next.${uniqueSuffix()}.jsonl`;
    const target = path.join(file.directory, name);
    await writeSynced(target, [encodeOp(headOf(state, segments, carried.length)), ...carried]);
    const line = { op: "next", file: name, at: 0 } as const;
    const placed: OpLine = { ...line, at: journal.placeOf(line) };
    const unchanged = file.raw() === state && state.offset === offset && file.journal === journal;
    const verdict = unchanged
      ? journal.write({ texts: [encodeOp(placed)], line: placed, firstSeq: 0, lastAtMs: undefined })
      : "conflict";
    if (verdict === "counts") {
      file.raw();
      return true;
    }
    await fs.rm(target, { force: true });
    if (verdict !== "conflict") return false;
  }
  return false;
}

/** The entries from `from` on that stand in the journal, as their lines would be alone. */
export async function carriedFrom(file: SessionFile, state: JournalState, from: number): Promise<string[]> {
  const texts: string[] = [];
  const fd = openSync(file.path, "r");
  try {
    for await (const piece of plainLines(file, fd, state.runs, { from, through: state.headSeq }))
      texts.push(...piece);
  } finally {
    closeSync(fd);
  }
  return texts;
}

/** The entries of `span` that stand in the journal open as `fd`, run by run, and none of a run that are not in it. */
export async function* plainLines(
  file: SessionFile,
  fd: number,
  runs: readonly Run[],
  { from, through }: Span,
): AsyncGenerator<string[]> {
  const concerned = runs.slice(firstRunAt(runs, from)).filter((run) => run.from <= through);
  for (const run of concerned.map((each) => ({ ...each }))) {
    const lines = await runLines(fd, run);
    const wanted = lines.slice(Math.max(0, from - run.from), through - run.from + 1);
    yield wanted.map((bytes) => plainLine(bytes) ?? notSound(file));
  }
}

/** An entry's line without its batch; undefined when it is not sound. */
function plainLine(bytes: Buffer): string | undefined {
  const entry = parseEntry(bytes);
  return entry && encodeEntry(entry.seq, entry);
}

function notSound(file: SessionFile): never {
  const message = `${file.name} of session ${file.id} is damaged and was left as it is`;
  throw new SidecarError("STORE_CORRUPT", message, { data: { sessionId: file.id } });
}

async function writeSynced(target: string, texts: readonly string[]): Promise<void> {
  const handle = await fs.open(target, "wx", fileMode);
  try {
    await handle.writeFile(texts.join(""));
    await handle.sync();
  } catch (error) {
    await fs.rm(target, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  // Also the names of segments that were written before.
  const directory = await fs.open(path.dirname(target), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
