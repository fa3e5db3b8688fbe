/** What becomes of a session that is brought in, and what its bringing needs. */
import { isSidecarError } from "../../base/errors.ts";
import type { OpenedJournal } from "../../session/journal.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import type { SessionRecord } from "../../store/contract.ts";
import type { Foreseen } from "./foreseen.ts";
import type { NativeBatch, NativeSession, Report } from "./native.ts";

/** With the id that it has here, where it has one. */
export interface Outcome {
  readonly what:
    | "imported"
    /** It had grown there, and goes on here. */
    | "continued"
    /** It had changed there from some point on: made anew, and the one before is in the trash. */
    | "replaced"
    /** Nothing new. */
    | "present"
    /** Nothing is said in it. */
    | "empty"
    /** Not taken, by this reason. */
    | "skipped";
  readonly id?: SessionRecord["id"];
  readonly entries: number;
  readonly reason?: string;
}

export interface IntakeOptions {
  readonly registry: SessionRegistry;
  /** Say what would be, and write nothing. */
  readonly isDryRun?: boolean;
  /** What it has said would be, if it is one. */
  readonly foreseen: Foreseen;
  readonly report: Report;
  /** Awaited between two batches, with the bytes of the original. What it throws ends the import. */
  readonly onBytes?: (bytes: number) => void | Promise<void>;
}

export const beingImported = "it is being imported by another process";
export const inTrash = "it is in the trash; acp-sidecar sessions restore";

export function skipped(reason: string, id?: SessionRecord["id"]): Outcome {
  return { what: "skipped", entries: 0, reason, ...(id !== undefined && { id }) };
}

/** The original, told how far it is read. */
export async function* batchesOf(
  native: NativeSession,
  { report, onBytes }: IntakeOptions,
): AsyncGenerator<NativeBatch> {
  for await (const batch of native.read(report)) {
    yield batch;
    await onBytes?.(batch.bytes);
  }
}

/** Takes away what an import has left that was killed. False while one is at work. */
export async function cleared(
  { registry, isDryRun = false }: IntakeOptions,
  unfinished: readonly SessionRecord[],
): Promise<boolean> {
  if (isDryRun) return true;
  try {
    for (const record of unfinished) await registry.brought.clear(record);
    return true;
  } catch (error) {
    if (isSidecarError(error, "SESSION_BUSY")) return false;
    throw error;
  }
}

/** One that is here goes on as `write` does it, which returns how many entries that were, unless somebody is at work in it. */
export async function continued(
  brought: SessionRegistry["brought"],
  { id, headSeq }: SessionRecord,
  write: (opened: OpenedJournal) => Promise<number>,
): Promise<Outcome> {
  let opened: OpenedJournal | undefined;
  try {
    opened = await brought.goOn(id);
    if (opened.journal.headSeq !== headSeq) return skipped("it goes on here", id);
    return { what: "continued", id, entries: await write(opened) };
  } catch (error) {
    if (isSidecarError(error, "SESSION_BUSY")) return skipped("somebody is at work in it here", id);
    throw error;
  } finally {
    await opened?.journal.release();
  }
}
