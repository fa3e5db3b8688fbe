/** Opens the database file: its directory and mode, its settings, its schema. */
import { closeSync, openSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { SidecarError, systemCodeOf } from "../../../base/errors.ts";
import { makeDirectory } from "../../../base/disk.ts";
import { busyTimeoutMs, untilFree } from "./busy.ts";
import type { Database, Engine } from "../../../sqlite/engine.ts";
import { loadEngine } from "../../../sqlite/engines.ts";
import { checkVersion, migrate } from "./migrations.ts";

export interface OpenedDatabase {
  readonly db: Database;
  /** What it was opened with, for people. */
  readonly engine: string;
  /** Without symbolic links: SQLite puts its other files beside the real one. */
  readonly path: string;
  /** Of a write-ahead log that was there before: whoever closes the database last leaves none. */
  readonly foundWalBytes: number;
}

/** Pages in the WAL (4 KiB each) at which a commit copies them into the database. */
const checkpointPages = 4000;

export async function openDatabase(given: string, lockWaitMs: number): Promise<OpenedDatabase> {
  const engine = await loadEngine();
  const path = prepareFile(resolve(given));
  const deadlineMs = performance.now() + lockWaitMs;
  for (;;) {
    const opened = await openFile(engine, path, deadlineMs);
    if (opened !== undefined) return opened;
  }
}

/** Undefined when the file was replaced meanwhile, which a repair does while others wait for its lock. */
async function openFile(
  engine: Engine,
  path: string,
  deadlineMs: number,
): Promise<OpenedDatabase | undefined> {
  const { ino } = statSync(path, { bigint: true });
  const foundWalBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const db = await untilFree(() => engine.open(path, busyTimeoutMs), deadlineMs);
  try {
    // Before anything is changed: the file may be another program's, or a newer version's.
    await untilFree(() => checkVersion(db, path), deadlineMs);
    if (statSync(path, { bigint: true }).ino !== ino) {
      db.close();
      return undefined;
    }
    await untilFree(() => configure(db, path), deadlineMs);
    await untilFree(() => migrate(db, path), deadlineMs);
    const version = db.prepare("SELECT sqlite_version()").pluck().get();
    return { db, engine: `${engine.name} with SQLite ${String(version)}`, path, foundWalBytes };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Makes the file if it is not there, readable by its owner only; SQLite gives its WAL the same mode. It is
 * opened only when it is new, and closed at once: closing a descriptor drops every POSIX lock that this
 * process has on the file, those of another connection included.
 */
function prepareFile(path: string): string {
  makeDirectory(dirname(path));
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error;
  }
  return realpathSync(path);
}

/** So that what is deleted can be given back in small steps. Only a file in which nothing is yet takes it. */
export function prepareVacuum(db: Database): void {
  if (db.pragma("page_count", { simple: true }) === 0) db.pragma("auto_vacuum = INCREMENTAL");
}

function configure(db: Database, path: string): void {
  prepareVacuum(db);
  if (db.pragma("journal_mode = WAL", { simple: true }) !== "wal") {
    throw new SidecarError(
      "STORE_UNSUPPORTED",
      `${path} lies where SQLite cannot share it between processes; put it on a local disk`,
    );
  }
  // A commit is safe from our death at once, and from a power cut after flush(): see sync.ts.
  db.pragma("synchronous = NORMAL");
  db.pragma("checkpoint_fullfsync = ON");
  db.pragma(`wal_autocheckpoint = ${checkpointPages}`);
  db.pragma(`journal_size_limit = ${64 << 20}`);
  db.pragma("cache_size = -4000");
  db.pragma("foreign_keys = OFF");
  // What was said and is deleted is not to be found in the room that it leaves, in a backup either.
  db.pragma("secure_delete = ON");
}
