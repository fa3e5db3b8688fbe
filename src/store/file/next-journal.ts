/**
 * Lets a session go on in a new journal file. The new file is whole and synced before the last line of the
 * old one names it, and that line counts only if nothing came between: up to it the old file is the session,
 * from it on the new one. Whoever comes by afterwards gives the new file its name and removes the old one.
 */
import fs from "node:fs/promises";
import path from "node:path";
import { syncDirectory } from "../../base/disk.ts";
import { fileMode, uniqueSuffix } from "./files.ts";
import { encodeOp, type HeadLine, type OpLine } from "./line.ts";
import type { SessionFile } from "./session-file.ts";
import type { JournalState } from "./state.ts";

const attempts = 5;

/** What a new journal file starts with. */
export interface Beginning {
  readonly head: HeadLine;
  /** Texts of the entries behind the segments, with nothing of the batches that they came in. */
  readonly carried: readonly string[];
}

/**
 * `begin` gives the new file's beginning, or nothing when there is no need any more. False when all stayed as
 * it was, for that reason, or because others kept writing or removed the session.
 */
export async function goOnInNextJournal(
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
    const name = `next.${uniqueSuffix()}.jsonl`;
    const target = path.join(file.directory, name);
    await writeSynced(target, beginning);
    const line = { op: "next", file: name, at: 0 } as const;
    const unchanged = file.raw() === state && state.offset === offset && file.journal === journal;
    const placed: OpLine = { ...line, at: journal.placeOf(line) };
    const verdict = unchanged ? journal.write({ texts: [encodeOp(placed)], line: placed }) : "conflict";
    if (verdict === "counts") {
      file.raw();
      return true;
    }
    await fs.rm(target, { force: true });
    if (verdict !== "conflict") return false;
  }
  return false;
}

async function writeSynced(target: string, { head, carried }: Beginning): Promise<void> {
  const handle = await fs.open(target, "wx", fileMode);
  try {
    await handle.writeFile(encodeOp(head) + carried.join(""));
    await handle.sync();
  } catch (error) {
    await fs.rm(target, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  // Also the names of segments that were written before.
  syncDirectory(path.dirname(target));
}
