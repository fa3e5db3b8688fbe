/** A connection to a database that may be damaged, for looking at it and no more. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Database } from "../../store/sql/sqlite/engine.ts";
import { busyTimeoutMs, defaultLockWaitMs, untilFree } from "../../store/sql/sqlite/busy.ts";
import { loadEngine } from "../../store/sql/sqlite/engines.ts";
import { checkVersion } from "../../store/sql/sqlite/migrations.ts";

export interface Damaged {
  readonly db: Database;
  /** Without symbolic links. */
  readonly path: string;
}

/** Errors: SQLite's own; `STORE_SCHEMA_NEWER`; `STORE_UNAVAILABLE` for a database that is not ours. */
export async function openDamaged(given: string): Promise<Damaged> {
  const engine = await loadEngine();
  const path = realpathSync(resolve(given));
  const db = engine.open(path, busyTimeoutMs);
  try {
    // SQLite opens a file that is shorter than its header says for those only who may write its schema.
    db.unsafeMode();
    db.pragma("writable_schema = ON");
    await untilFree(() => checkVersion(db, path), performance.now() + defaultLockWaitMs);
    return { db, path };
  } catch (error) {
    db.close();
    throw error;
  }
}
