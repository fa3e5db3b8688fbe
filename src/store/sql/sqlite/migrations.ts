/** Brings a database to the newest schema, a copy of the old one put aside first. */
import { closeSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { transact, type Database } from "../../../sqlite/engine.ts";
import { syncFile } from "../../../base/disk.ts";
import { SidecarError } from "../../../base/errors.ts";
import { storeNewer } from "../../refusals.ts";
import { startOf } from "../../../base/process.ts";
import { applicationId, schemaV1, schemaV2, schemaV3 } from "./schema.ts";

/** The SQL that leads from the version before to `version`. Released ones are never edited. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
  /** What is there stays to the letter, so that no copy of it is needed. */
  readonly keepsAll?: boolean;
}

export const migrations: readonly Migration[] = [
  { version: 1, sql: schemaV1 },
  { version: 2, sql: schemaV2 },
  { version: 3, sql: schemaV3, keepsAll: true },
];

function versionOf(db: Database): number {
  return Number(db.pragma("user_version", { simple: true }));
}

const newestOf = (all: readonly Migration[]): number => all.at(-1)?.version ?? 0;

/**
 * Runs what is missing, in one transaction. Several processes may try at once; one does it. Errors:
 * `STORE_SCHEMA_NEWER`; `STORE_UNAVAILABLE` for a database that is not ours.
 */
export function migrate(db: Database, path: string, all: readonly Migration[] = migrations): void {
  const newest = newestOf(all);
  const found = checkVersion(db, path, newest);
  if (found === newest) return;
  if (found > 0 && all.some(({ version, keepsAll }) => version > found && keepsAll !== true))
    backUp(db, path, found);
  transact(db, "BEGIN EXCLUSIVE", () => {
    const current = checkVersion(db, path, newest);
    for (const { version, sql } of all) if (version > current) db.exec(sql);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${newest}`);
  });
}

/** The schema's version, 0 in an empty database. Changes nothing. Errors: as `migrate`. */
export function checkVersion(db: Database, path: string, newest = newestOf(migrations)): number {
  const version = versionOf(db);
  const tables = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
  const ours = db.pragma("application_id", { simple: true }) === applicationId;
  if (!ours && (version !== 0 || tables !== 0)) {
    throw new SidecarError(
      "STORE_UNAVAILABLE",
      `${path} is a database of something else; name another path for sessions`,
    );
  }
  if (version <= newest) return version;
  throw storeNewer(path, version, newest);
}

/** Copies the database to `PATH.vN.bak`; under a name of its own until it is whole and on the disk. */
function backUp(db: Database, path: string, version: number): void {
  sweepUnfinished(path);
  const unfinished = `${path}.v${version}.${process.pid}.tmp`;
  // VACUUM INTO accepts an empty file: this one is readable by nobody else from the start.
  closeSync(openSync(unfinished, "wx", 0o600));
  try {
    db.prepare("VACUUM INTO ?").run(unfinished);
    syncFile(unfinished);
    renameSync(unfinished, `${path}.v${version}.bak`);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** Removes copies that a kill left unfinished. A process that is there may still be at work on its own. */
function sweepUnfinished(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    const [, of, pid] = /^(.*)\.v\d+\.(\d+)\.tmp$/s.exec(name) ?? [];
    if (of !== basename(path)) continue;
    if (Number(pid) === process.pid || startOf(Number(pid)) === undefined)
      rmSync(join(dirname(path), name), { force: true });
  }
}
