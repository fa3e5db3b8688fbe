/** `verify --repair`: a new database of all that is sound takes the place of the damaged one, which is kept. */
import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Database } from "../../store/sql/sqlite/engine.ts";
import { syncDirectory, syncFile } from "../../base/disk.ts";
import { SidecarError } from "../../base/errors.ts";
import type { Damage, Repair } from "../medium.ts";
import { untilFree } from "../../store/sql/sqlite/busy.ts";
import { asStoreError, isBusy } from "../../store/sql/sqlite/errors.ts";
import { findDamage } from "./check.ts";
import { rebuild } from "./fresh.ts";
import { told } from "./inspect.ts";
import { mend, type Mended } from "./mend.ts";
import { openDamaged } from "./open-damaged.ts";
import { PageFile } from "./page-file.ts";
import { writeAside, writeReport } from "./set-aside.ts";

/** How long other processes have to let go of the database. */
const waitMs = 300;

/**
 * Keeps every sound session and entry, with its number; a message stands in the place of each lost entry. The
 * damaged file goes into `PATH.damaged-TIME/` with a report, and as text what belongs to no session any more. A
 * sound database is left alone. Errors: `STORE_LOCKED` while another process uses it; `STORE_…`.
 */
export async function repairSqliteStore(given: string): Promise<Repair> {
  try {
    const { db, path } = await openDamaged(given);
    try {
      await holdAlone(db, path);
      const found = findDamage(db, basename(path));
      if (found.length > 0) return await replace(db, path, found);
      const entries = db.prepare("SELECT count(*) FROM entries").pluck().get() as number;
      return { entries, damage: [], setAside: [] };
    } finally {
      db.close();
    }
  } catch (error) {
    throw asStoreError(error, given);
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

async function replace(db: Database, path: string, found: readonly Damage[]): Promise<Repair> {
  const rebuilt = `${path}.${randomUUID()}.rebuilt.tmp`;
  const aside = `${path}.damaged-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  mkdirSync(aside, { mode: 0o700 });
  const file = new PageFile(path);
  try {
    const { entries, damage } = await mendedInto(rebuilt, file, path, aside);
    const repair = { entries, damage: told(found, damage), setAside: [aside] };
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

/** Errors: `STORE_FAILED` when what was made is not sound, and so must not replace anything. */
async function mendedInto(rebuilt: string, file: PageFile, path: string, aside: string): Promise<Mended> {
  const fresh = await rebuild(file, rebuilt);
  try {
    const mended = mend(fresh, basename(path), (no, id, facts) =>
      writeAside(aside, fresh, { no, id, facts }),
    );
    const [wrong] = findDamage(fresh, basename(path));
    if (wrong === undefined) return mended;
    throw new SidecarError(
      "STORE_FAILED",
      `What is left of ${path} cannot be made a sound store (${wrong.problem}); it is as it was: restore a backup`,
    );
  } finally {
    fresh.close();
    syncFile(rebuilt);
  }
}
