/** `backup`: a copy of the database, made page by page while others read and write, that is a store itself. */
import { closeSync, existsSync, openSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { CopiedPages, Database } from "../../sqlite/engine.ts";
import { SidecarError } from "../../base/errors.ts";
import { makeDirectory, syncDirectory, syncFile } from "../../base/disk.ts";
import { untilAborted } from "../../base/time.ts";
import type { StoreBackup } from "../damage.ts";
import { unfinishedName } from "../unfinished.ts";
import { Reports, type Watch } from "../watch.ts";
import { busyTimeoutMs, defaultLockWaitMs, untilFree } from "../../store/sql/sqlite/busy.ts";
import { loadEngine } from "../../sqlite/engines.ts";
import { keysCopyId, keysId, upkeepId } from "../../store/keys-id.ts";
import { repairIt } from "../../store/reading.ts";
import { asStoreError } from "../../store/sql/sqlite/errors.ts";
import { checkVersion } from "../../store/sql/sqlite/migrations.ts";

/**
 * Copies the database as it is at one instant after the call to `target`, which must not be there; it appears
 * when it is whole, sound and on the disk, readable by its owner only, and in it nobody holds a session.
 * Errors: `STORE_CONFLICT` when `target` is there, `STORE_CORRUPT` when the database is damaged; `STORE_…`.
 */
export async function backupSqliteStore(
  from: string,
  target: string,
  watch: Watch = {},
): Promise<StoreBackup> {
  const goal = resolve(target);
  const partial = unfinishedName(goal, "partial");
  try {
    makeDirectory(dirname(goal));
    assertFree(goal);
    // Before the copy is made, so that nobody else can read it at any time.
    closeSync(openSync(partial, "wx", 0o600));
    await copyPages(resolve(from), partial, watch);
    const copy = await finish(partial);
    assertFree(goal);
    renameSync(partial, goal);
    syncDirectory(dirname(goal));
    return copy;
  } catch (error) {
    if (watch.signal?.aborted === true) throw error;
    throw asStoreError(error, error instanceof Error && isOf(error, goal) ? goal : from);
  } finally {
    for (const file of [partial, `${partial}-journal`]) rmSync(file, { force: true });
  }
}

async function copyPages(from: string, partial: string, { onProgress, signal }: Watch): Promise<void> {
  const engine = await loadEngine();
  const path = realpathSync(from);
  const db = engine.open(path, busyTimeoutMs);
  try {
    const deadlineMs = performance.now() + defaultLockWaitMs;
    await untilFree(() => checkVersion(db, path), deadlineMs);
    // What is read in a transaction stays as it is: without one, every write of another process would make
    // the copy begin again.
    db.exec("BEGIN");
    await untilFree(() => checkVersion(db, path), deadlineMs);
    const reports = new Reports(onProgress);
    const progress = ({ totalPages, remainingPages }: CopiedPages) => {
      if (totalPages > 0) reports.tell(totalPages - remainingPages, totalPages);
      return pagesPerStep;
    };
    const copied = db.backup(partial, { progress });
    copied.catch(() => undefined);
    await Promise.race([copied, untilAborted(signal), reports.failed]);
    await reports.settled();
  } finally {
    db.close();
  }
}

const pagesPerStep = 1000;

/** Makes one file of it that says nothing of who held what, looks whether it is sound, and syncs it. */
async function finish(partial: string): Promise<StoreBackup> {
  const engine = await loadEngine();
  const db = engine.open(partial);
  let counted: Omit<StoreBackup, "bytes">;
  try {
    db.pragma("journal_mode = DELETE");
    assertSound(db, partial);
    db.exec(
      "UPDATE sessions SET fence = fence + 1, holder = NULL, turn_running = 0 WHERE holder IS NOT NULL",
    );
    counted = db
      .prepare<[], Omit<StoreBackup, "bytes">>(
        `SELECT count(*) FILTER (WHERE id NOT IN ('${keysId}', '${keysCopyId}', '${upkeepId}')) AS sessions,
           total(head_seq - base_seq) AS entries FROM sessions`,
      )
      .get() ?? { sessions: 0, entries: 0 };
  } finally {
    db.close();
  }
  syncFile(partial);
  return { ...counted, bytes: statSync(partial).size };
}

/** A backup that cannot be restored is found out now, not then. */
function assertSound(db: Database, path: string): void {
  const found = String(db.pragma("integrity_check(1)", { simple: true }));
  if (found === "ok") return;
  throw new SidecarError(
    "STORE_CORRUPT",
    `${path} would be a copy of a damaged database (${found.split("\n", 1)[0]}); ${repairIt}, then try again`,
  );
}

function assertFree(target: string): void {
  if (!existsSync(target)) return;
  throw new SidecarError("STORE_CONFLICT", `${target} is there already; name a file that is not`);
}

/** Whether the file system's error concerns the copy. */
function isOf(error: Error, goal: string): boolean {
  return "path" in error && String(error.path).startsWith(dirname(goal));
}
