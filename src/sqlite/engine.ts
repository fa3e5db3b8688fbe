/**
 * What we use of a SQLite library: the shape of better-sqlite3's objects, which therefore need no wrapping on the
 * hot path. Other engines fit themselves to it.
 */

/** Tells of a write how many rows it changed, and the key of the row that it inserted. */
export interface Written {
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

export interface Statement<Params extends unknown[] = unknown[], Row = unknown> {
  run(...params: Params): Written;
  get(...params: Params): Row | undefined;
  all(...params: Params): Row[];
  /** To be run to its end, or left by `break`, before the connection is used for anything else. */
  iterate(...params: Params): IterableIterator<Row>;
  /** Rows come as arrays of columns from now on. */
  raw(): this;
  /** Rows come as their first column from now on. */
  pluck(): this;
}

export interface Database {
  readonly inTransaction: boolean;
  prepare<Params extends unknown[] = unknown[], Row = unknown>(sql: string): Statement<Params, Row>;
  exec(sql: string): unknown;
  /** The rows of `PRAGMA text`; with `simple` the first column of the first one. */
  pragma(text: string, options?: { readonly simple: boolean }): unknown;
  /** Copies the database into the file `target`, which may be there and empty. */
  backup(target: string, options: { readonly progress: CopyProgress }): Promise<unknown>;
  /** Lets statements write the schema's tables, which SQLite refuses otherwise. */
  unsafeMode(): unknown;
  close(): unknown;
}

/** How far a copy is; both are 0 before it has begun. */
export interface CopiedPages {
  readonly totalPages: number;
  readonly remainingPages: number;
}

/** Called between the steps of a copy; returns how many pages the next one has. */
export type CopyProgress = (copied: CopiedPages) => number;

/** In the place of a path: a database that is gone when it is closed. */
export const inMemory = ":memory:";

/** A file that is another program's is opened to be read only. */
export type Access = "rw" | "ro";

/** Errors of an engine have the name of SQLite's result code, the extended one, as their `code`. */
export interface Engine {
  readonly name: string;
  /** Opens a file, which must be there. SQLite waits, and so blocks, for a lock no longer than `busyTimeoutMs`; 0 unless told. */
  readonly open: (path: string, busyTimeoutMs?: number, access?: Access) => Database;
}

/** Runs `work` in a transaction of its own; what it throws rolls back. */
export function transact<T>(db: Database, begin: "BEGIN" | "BEGIN EXCLUSIVE", work: () => T): T {
  db.exec(begin);
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // Some failures have rolled back already, a full disk for one.
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
