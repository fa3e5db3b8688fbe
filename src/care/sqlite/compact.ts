/** Gives back what deletions have left free in a database file, while others use it. */
import { realpathSync, statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Database } from "../../sqlite/engine.ts";
import { busyTimeoutMs, defaultLockWaitMs, untilFree } from "../../store/sql/sqlite/busy.ts";
import { loadEngine } from "../../sqlite/engines.ts";
import { isBusy } from "../../sqlite/result-codes.ts";
import { asStoreError } from "../../store/sql/sqlite/errors.ts";
import { checkVersion } from "../../store/sql/sqlite/migrations.ts";

interface CompactionLimits {
  /** A file from before it could be done in steps is written anew at once, if it holds no more: that takes a moment. */
  readonly mostAtOnce?: number;
  readonly lockWaitMs?: number;
}

/** Less is soon used again. */
const leastBytes = 1 << 20;
/** Pages that are given back in one step: others wait for some milliseconds. */
const pagesPerStep = 500;
/** Between two steps others write. */
const betweenStepsMs = 5;

/** What others hold up for too long is left for another time. Errors: `STORE_…`. */
export async function compactSqliteStore(given: string, limits: CompactionLimits = {}): Promise<void> {
  const engine = await loadEngine();
  try {
    const path = realpathSync(given);
    const db = engine.open(path, busyTimeoutMs);
    try {
      checkVersion(db, path);
      await compact(db, limits, statSync(`${path}-wal`, { throwIfNoEntry: false })?.size);
    } finally {
      db.close();
    }
  } catch (error) {
    if (!isBusy(error)) throw asStoreError(error, given);
  }
}

async function compact(
  db: Database,
  { mostAtOnce = 64 << 20, lockWaitMs = defaultLockWaitMs }: CompactionLimits,
  walBytes = 0,
): Promise<void> {
  const number = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
  const whenFree = (work: () => unknown) => untilFree(work, performance.now() + lockWaitMs);
  const pageBytes = number("page_size");
  const free = () => number("freelist_count");
  if (free() * pageBytes < leastBytes) {
    // The log has no more in it than that now and then, but keeps the room of its longest day.
    if (walBytes > leastBytes) await whenFree(() => db.pragma("wal_checkpoint(TRUNCATE)"));
    return;
  }
  if (number("auto_vacuum") === incremental) {
    for (let before = Infinity; free() > 0 && free() < before; await pause(betweenStepsMs)) {
      before = free();
      await whenFree(() => db.pragma(`incremental_vacuum(${pagesPerStep})`));
    }
  } else if ((number("page_count") - free()) * pageBytes <= mostAtOnce) {
    // From now on in steps.
    db.pragma("auto_vacuum = INCREMENTAL");
    await whenFree(() => db.exec("VACUUM"));
  }
  // The file itself gets shorter when the log has been copied into it; a reader may hold that up.
  await whenFree(() => db.pragma("wal_checkpoint(TRUNCATE)"));
}

const incremental = 2;
