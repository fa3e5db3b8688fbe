/** The SQLite that Node carries, in the shape of engine.ts. It needs no compiler and no install script. */
import { pathToFileURL } from "node:url";
import { systemCodeOf } from "../../../base/errors.ts";
import type { Database, Engine, Statement, Written } from "./engine.ts";
import { resultCodeName } from "./result-codes.ts";

/** What we use of `node:sqlite`, whose types come with newer Nodes than the oldest that we support. */
interface NodeSqlite {
  readonly DatabaseSync: new (location: URL | string, options?: { timeout?: number }) => NodeDatabase;
  readonly backup: (from: NodeDatabase, target: string, options: { rate: number }) => Promise<number>;
}

interface NodeDatabase {
  readonly isOpen: boolean;
  readonly isTransaction: boolean;
  prepare(sql: string): NodeStatement;
  exec(sql: string): void;
  enableDefensive?(isOn: boolean): void;
  close(): void;
}

interface NodeStatement {
  run(...params: unknown[]): Written;
  get(...params: unknown[]): object | undefined;
  all(...params: unknown[]): object[];
  iterate(...params: unknown[]): IterableIterator<object>;
  setReturnArrays(isOn: boolean): void;
  setReadBigInts(isOn: boolean): void;
}

/**
 * Undefined where Node has no SQLite, or none that sessions may be trusted to. `isForced`: whatever its version.
 */
export function nodeEngine(isForced: boolean): Engine | undefined {
  if (!isForced && !(isReleased() && isSafe(process.versions.sqlite))) return undefined;
  // A bundler and older Nodes know nothing of the module.
  const sqlite = process.getBuiltinModule("node:sqlite") as NodeSqlite | undefined;
  if (sqlite === undefined || (!isForced && !isWhole(sqlite))) return undefined;
  return {
    name: "node:sqlite",
    open: (path, busyTimeoutMs = 0) =>
      named(() => {
        const url = pathToFileURL(path);
        url.searchParams.set("mode", "rw");
        return new Connection(sqlite, new sqlite.DatabaseSync(url, { timeout: busyTimeoutMs }));
      }),
  };
}

/** From here on it is no experiment any more, and says nothing on stderr. */
function isReleased(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 25 || (major === 25 && minor >= 7) || (major === 24 && minor >= 15);
}

/** Before 3.51.3 two processes that write to one database may damage it. https://sqlite.org/wal.html#walresetbug */
function isSafe(version = "0"): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 3_051_003;
}

/** Some cut a text at its first NUL; a Node that is linked with the system's library may lack its search. */
function isWhole({ DatabaseSync }: NodeSqlite): boolean {
  const db = new DatabaseSync(":memory:");
  try {
    const text = "SELECT 'a' || char(0) || 'b' AS text";
    const search = "SELECT 1 FROM pragma_compile_options WHERE compile_options = 'ENABLE_FTS5'";
    const [found] = db.prepare(text).all() as { text: string }[];
    return found?.text.length === 3 && db.prepare(search).get() !== undefined;
  } finally {
    db.close();
  }
}

class Connection implements Database {
  readonly #sqlite: NodeSqlite;
  readonly #db: NodeDatabase;

  constructor(sqlite: NodeSqlite, db: NodeDatabase) {
    this.#sqlite = sqlite;
    this.#db = db;
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  prepare<Params extends unknown[], Row>(sql: string): Statement<Params, Row> {
    return named(() => new Prepared<Params, Row>(this.#db.prepare(sql)));
  }

  exec(sql: string): void {
    named(() => this.#db.exec(sql));
  }

  pragma(text: string, { simple }: { readonly simple: boolean } = { simple: false }): unknown {
    const statement = this.prepare(`PRAGMA ${text}`);
    return simple ? statement.pluck().all()[0] : statement.all();
  }

  async backup(target: string, { progress }: { readonly progress: () => number }): Promise<void> {
    try {
      await this.#sqlite.backup(this.#db, target, { rate: progress() });
    } catch (error) {
      throw withCode(error);
    }
  }

  unsafeMode(): void {
    // Older versions have no such mode, and are never in it.
    this.#db.enableDefensive?.(false);
  }

  close(): void {
    if (this.#db.isOpen) named(() => this.#db.close());
  }
}

class Prepared<Params extends unknown[], Row> implements Statement<Params, Row> {
  readonly #statement: NodeStatement;
  #plucks = false;

  constructor(statement: NodeStatement) {
    this.#statement = statement;
  }

  run(...params: Params): Written {
    try {
      return this.#statement.run(...params);
    } catch (error) {
      throw withCode(error);
    }
  }

  get(...params: Params): Row | undefined {
    try {
      const row = this.#statement.get(...params);
      return row === undefined ? undefined : this.#shaped(row);
    } catch (error) {
      if (!isTooLarge(error)) throw withCode(error);
    }
    const [row] = this.#rounded(params);
    return row;
  }

  all(...params: Params): Row[] {
    try {
      const rows = this.#statement.all(...params);
      return this.#plucks ? rows.map((row) => this.#shaped(row)) : (rows as Row[]);
    } catch (error) {
      if (!isTooLarge(error)) throw withCode(error);
    }
    return [...this.#rounded(params)];
  }

  *iterate(...params: Params): IterableIterator<Row> {
    let given = 0;
    try {
      for (const row of this.#statement.iterate(...params)) {
        given += 1;
        yield this.#shaped(row);
      }
      return;
    } catch (error) {
      this.#reset(params);
      if (!isTooLarge(error)) throw withCode(error);
    }
    for (const row of this.#rounded(params)) if ((given -= 1) < 0) yield row;
  }

  raw(): this {
    this.#statement.setReturnArrays(true);
    return this;
  }

  pluck(): this {
    this.#plucks = true;
    return this.raw();
  }

  /** Node tells the error that ended an iteration once more at the next use of the statement, whose reset forgets it. */
  #reset(params: Params): void {
    try {
      this.#statement.iterate(...params);
    } catch {
      // It was told.
    }
  }

  #shaped(row: object): Row {
    return (this.#plucks ? (row as Row[])[0] : row) as Row;
  }

  /**
   * Rows with integers that are no safe ones in JavaScript, which only damage leaves: as the nearest number, as every
   * other engine gives them, so that it is told where it lies.
   */
  *#rounded(params: Params): Generator<Row> {
    this.#statement.setReadBigInts(true);
    try {
      for (const row of this.#statement.iterate(...params)) yield this.#shaped(withNumbers(row));
    } catch (error) {
      this.#reset(params);
      throw withCode(error);
    } finally {
      this.#statement.setReadBigInts(false);
    }
  }
}

function withNumbers(row: object): object {
  const rounded = Object.entries(row).map(([column, value]: [string, unknown]): [string, unknown] => [
    column,
    typeof value === "bigint" ? Number(value) : value,
  ]);
  return Array.isArray(row) ? rounded.map(([, value]) => value) : Object.fromEntries(rounded);
}

function isTooLarge(error: unknown): boolean {
  return systemCodeOf(error) === "ERR_OUT_OF_RANGE";
}

function named<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withCode(error);
  }
}

/** Node gives its errors one code for all, and SQLite's number. */
function withCode(error: unknown): unknown {
  if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") {
    Object.assign(error, { code: resultCodeName(error.errcode) });
  }
  return error;
}
