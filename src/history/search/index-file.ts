/** Opens the database of an index: made anew where it is not there, damaged, or of another schema. */
import { isBusy } from "../../sqlite/result-codes.ts";
import { createHash } from "node:crypto";
import { chmodSync, closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import path from "node:path";
import { reasonOf, SidecarError, systemCodeOf } from "../../base/errors.ts";
import { inMemory, type Database } from "../../sqlite/engine.ts";
import { loadEngine } from "../../sqlite/engines.ts";

/** Counted up with every change of what is kept, or of how words are told apart: older files are made anew. */
const schemaVersion = 5;
const applicationId = 0x61637369;
const busyTimeoutMs = 20;

const schema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE sessions (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    updated_at_ms INTEGER NOT NULL,
    cwd TEXT NOT NULL,
    folder TEXT NOT NULL,
    agent TEXT NOT NULL,
    parent_id TEXT,
    base_seq INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    through_seq INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    rewritten_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_activity ON sessions (updated_at_ms, id);
  CREATE INDEX sessions_by_parent ON sessions (parent_id) WHERE parent_id IS NOT NULL;
  CREATE INDEX sessions_open ON sessions (is_open) WHERE is_open = 1;
  CREATE TABLE spans (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    session_no INTEGER NOT NULL,
    part INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    UNIQUE (session_no, part)
  ) STRICT;
  CREATE TABLE shards (no INTEGER PRIMARY KEY, messages INTEGER NOT NULL) STRICT;
`;

export interface OpenedIndex {
  readonly db: Database;
  readonly place: string;
}

/** The file of a store's index. @param identity what tells the store from every other */
export function indexPath(folder: string, identity: string): string {
  const name = createHash("sha256").update(identity).digest("hex").slice(0, 32);
  return path.join(folder, "search", `${name}.db`);
}

/** Errors: `STORE_UNAVAILABLE` without a SQLite; the system's own where the file cannot be written. */
export async function openIndexFile(file: string): Promise<OpenedIndex> {
  const engine = await loadEngine();
  if (file === inMemory) {
    const db = engine.open(inMemory);
    db.exec(schema);
    return { db, place: "memory" };
  }
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    return { db: ready(engine.open(made(file), busyTimeoutMs)), place: file };
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  removeIndexFile(file);
  return { db: ready(engine.open(made(file), busyTimeoutMs)), place: file };
}

export function removeIndexFile(file: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
}

/** What is no sound index of this schema. */
export function isDamage(error: unknown): boolean {
  if (error instanceof OtherSchema) return true;
  const code = systemCodeOf(error) ?? "";
  return /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ|ERROR|MISMATCH)/.test(code);
}

/** Where no file can be, words are kept in memory instead. */
export function isUnwritable(error: unknown): boolean {
  const code = systemCodeOf(error) ?? "";
  return (
    /^SQLITE_(FULL|READONLY|CANTOPEN|PERM|IOERR)/.test(code) ||
    ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR", "EEXIST", "ENOENT"].includes(code)
  );
}

/** A failure of the index in words. */
export function indexError(error: unknown, place: string): unknown {
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  const reason = `${code}: ${reasonOf(error)}`;
  const data = { index: place };
  if (/FULL|ENOSPC|EDQUOT/.test(code)) {
    return new SidecarError(
      "STORE_FULL",
      `No space is left for the search index ${place}; make room and search again, no session is touched`,
      { data, cause: error },
    );
  }
  if (isBusy(error)) {
    return new SidecarError(
      "STORE_LOCKED",
      `The search index ${place} is kept locked by another process; search again when it is done`,
      { data, cause: error },
    );
  }
  return new SidecarError(
    "STORE_FAILED",
    `The search index ${place} cannot be read or written (${reason}); delete it, and it is made anew`,
    { data, cause: error },
  );
}

class OtherSchema extends Error {}

/** Readable by its owner only; SQLite gives its other files the same mode. */
function made(file: string): string {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error;
    chmodSync(file, 0o600);
  }
  return file;
}

function ready(db: Database): Database {
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = NORMAL");
    db.pragma("cache_size = -16000");
    db.pragma(`journal_size_limit = ${16 << 20}`);
    db.exec("BEGIN IMMEDIATE");
    const version = db.pragma("user_version", { simple: true });
    const isOurs = db.pragma("application_id", { simple: true }) === applicationId;
    const isEmpty = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
    if (isEmpty) {
      db.exec(schema);
      db.pragma(`application_id = ${applicationId}`);
      db.pragma(`user_version = ${schemaVersion}`);
    } else if (!isOurs || version !== schemaVersion) throw new OtherSchema();
    db.exec("COMMIT");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
