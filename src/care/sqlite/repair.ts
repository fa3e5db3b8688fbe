/** What is damaged in a database, and a new one of all that is sound in the place of the damaged one, which is kept. */
import { closeSync, linkSync, mkdirSync, openSync, realpathSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { syncDirectory, syncFile } from "../../base/disk.ts";
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { busyTimeoutMs, defaultLockWaitMs, untilFree } from "../../store/sql/sqlite/busy.ts";
import type { Database } from "../../sqlite/engine.ts";
import { loadEngine } from "../../sqlite/engines.ts";
import { recallRewinds } from "../recall-rewinds.ts";
import { unfinishedName } from "../unfinished.ts";
import { isBusy } from "../../sqlite/result-codes.ts";
import { asStoreError } from "../../store/sql/sqlite/errors.ts";
import { checkVersion } from "../../store/sql/sqlite/migrations.ts";
import type { Damage, Repair } from "../damage.ts";
import { findDamage } from "./check.ts";
import { mend, type Mended } from "./mend.ts";
import { PageFile } from "./page-file.ts";
import { rebuild } from "./salvage.ts";
import { writeAside, writeReport } from "./set-aside.ts";

/** How long other processes have to let go of the database before it is repaired. */
const waitMs = 300;

/**
 * Names what is damaged, by session and entry, while others use the database, and changes nothing. When something is
 * wrong, a copy of the database's pages is made beside it for a moment, and what a repair would keep of it is compared
 * with what should be there. Errors: `STORE_…`.
 */
export function inspectSqliteStore(given: string): Promise<readonly Damage[]> {
  return withDamaged(given, async (db, path) => {
    db.exec("BEGIN");
    const found = findDamage(db, basename(path));
    return found.length === 0 ? [] : told(found, await lossesOf(db, path));
  });
}

/**
 * Keeps every sound session and entry, with its number; a message stands in the place of each lost entry. The
 * damaged file goes into `PATH.damaged-TIME/` with a report, and as text what belongs to no session any more. A
 * sound database is left alone. Errors: `STORE_LOCKED` while another process uses it; `STORE_…`.
 */
export function repairSqliteStore(given: string): Promise<Repair> {
  return withDamaged(given, async (db, path) => {
    await holdAlone(db, path);
    const found = findDamage(db, basename(path));
    if (found.length > 0) return replace(db, path, found);
    const entries = db.prepare("SELECT count(*) FROM entries").pluck().get() as number;
    return { entries, damage: [], setAside: [] };
  });
}

/** @param act is given a connection for looking at the database and no more, and its path without symbolic links */
async function withDamaged<T>(given: string, act: (db: Database, path: string) => Promise<T>): Promise<T> {
  try {
    const engine = await loadEngine();
    const path = realpathSync(resolve(given));
    const db = engine.open(path, busyTimeoutMs);
    try {
      // SQLite opens a file that is shorter than its header says for those only who may write its schema.
      db.unsafeMode();
      db.pragma("writable_schema = ON");
      await untilFree(() => checkVersion(db, path), performance.now() + defaultLockWaitMs);
      return await act(db, path);
    } finally {
      db.close();
    }
  } catch (error) {
    throw asStoreError(error, given);
  }
}

/** What is lost says more than what was found: of a session that lost something, only that is told. */
function told(found: readonly Damage[], losses: readonly Damage[]): readonly Damage[] {
  const named = new Set(losses.map(({ sessionId }) => sessionId));
  const others = found.filter(({ sessionId }) => sessionId === undefined || !named.has(sessionId));
  return [...losses, ...others];
}

async function lossesOf(db: Database, path: string): Promise<readonly Damage[]> {
  const [copy, rebuilt] = [unfinishedName(path, "copy.tmp"), unfinishedName(path, "rebuilt.tmp")];
  try {
    closeSync(openSync(copy, "wx", 0o600));
    await db.backup(copy, { progress: () => 1000 });
    const file = new PageFile(copy);
    try {
      return await withRebuilt(file, rebuilt, (fresh) => mend(fresh, basename(path), () => undefined).damage);
    } finally {
      file.close();
    }
  } finally {
    for (const each of [copy, rebuilt]) rmSync(each, { force: true });
  }
}

async function withRebuilt<T>(file: PageFile, path: string, act: (fresh: Database) => T): Promise<T> {
  const fresh = await rebuild(file, path);
  try {
    return act(fresh);
  } finally {
    fresh.close();
  }
}

/** Until the connection is closed nobody else can read or write; all that was committed is in the one file. */
async function holdAlone(db: Database, path: string): Promise<void> {
  try {
    await untilFree(() => {
      db.pragma("locking_mode = EXCLUSIVE");
      db.pragma("journal_mode = DELETE");
      db.exec("BEGIN EXCLUSIVE");
    }, performance.now() + waitMs);
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new SidecarError(
      "STORE_LOCKED",
      `${path} is in use; end every acp-sidecar that uses it (and editors that run one), then repair it`,
      { cause: error },
    );
  }
}

async function replace(db: Database, path: string, wrong: readonly Damage[]): Promise<Repair> {
  const rebuilt = unfinishedName(path, "rebuilt.tmp");
  const aside = `${path}.damaged-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  mkdirSync(aside, { mode: 0o700 });
  const file = new PageFile(path);
  try {
    const found = await withRebuilt(file, rebuilt, (fresh) => mended(fresh, path, aside));
    const { entries, damage } = found;
    await withoutLosingRewinds(rebuilt, found.withoutSettings);
    syncFile(rebuilt);
    const repair = { entries, damage: told(wrong, damage), setAside: [aside] };
    writeReport(aside, repair);
    // At no instant is there no database under its name: whoever looked then would begin an empty one.
    linkSync(path, join(aside, basename(path)));
    syncDirectory(aside);
    renameSync(rebuilt, path);
    syncDirectory(dirname(path));
    return repair;
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(rebuilt, { force: true });
    // Its locks go with the connection; a file closed before would have dropped them.
    db.close();
    file.close();
  }
}

async function withoutLosingRewinds(path: string, ids: readonly SessionId[]): Promise<void> {
  if (ids.length === 0) return;
  // Imported as whoever serves imports it, or both would load one file more.
  const { openSqliteStore } = await import("../../store/sql/sqlite/store.ts");
  const store = await openSqliteStore({ path });
  try {
    await recallRewinds(store, ids);
  } finally {
    await store.close();
  }
}

/** Errors: `STORE_FAILED` when what was made is not sound, and so must not replace anything. */
function mended(fresh: Database, path: string, aside: string): Mended {
  const name = basename(path);
  const result = mend(fresh, name, (no, id, facts) => writeAside(aside, fresh, { no, id, facts }));
  const [wrong] = findDamage(fresh, name);
  if (wrong === undefined) return result;
  throw new SidecarError(
    "STORE_FAILED",
    `What is left of ${path} cannot be made a sound store (${wrong.problem}); it is as it was: restore a backup`,
  );
}
