/** The SQLite that Node carries, in the shape of engine.ts. It needs no compiler and no install script. */
import { pathToFileURL } from "node:url";
import { systemCodeOf } from "../base/errors.ts";
import type { CopyProgress, Database, Engine, Statement, Written } from "./engine.ts";
import { isReleased, isSafe } from "./node-versions.ts";
import { resultCodeName } from "./result-codes.ts";

/** What we use of `node:sqlite`, whose types come with newer Nodes than the oldest that we support. */
interface NodeSqlite {
  readonly DatabaseSync: new (location: URL | string, options?: { timeout?: number }) => NodeDatabase;
  readonly backup: (
    from: NodeDatabase,
    target: string,
    how: { rate: number; progress: CopyProgress },
  ) => Promise<number>;
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
  get(...params: unknown[]): unknown[] | undefined;
  all(...params: unknown[]): unknown[][];
  iterate(...params: unknown[]): IterableIterator<unknown[]>;
  columns(): { readonly name: string }[];
  setReturnArrays(isOn: boolean): void;
  setReadBigInts(isOn: boolean): void;
}

/** In characters: what it costs to let go of such a text is nothing beside what it takes. */
const largeText = 1 << 20;

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
      named(
        () => new Connection(sqlite, new sqlite.DatabaseSync(locationOf(path), { timeout: busyTimeoutMs })),
      ),
  };
}

/** As a URL, because only that can say that no file is to be made. */
function locationOf(path: string): URL | string {
  if (path === ":memory:") return path;
  const url = pathToFileURL(path);
  url.searchParams.set("mode", "rw");
  return url;
}

/** Some cut a text at its first NUL; a Node that is linked with the system's library may lack its search. */
function isWhole({ DatabaseSync }: NodeSqlite): boolean {
  const db = new DatabaseSync(":memory:");
  try {
    const sql =
      "SELECT 'a' || char(0), (SELECT 1 FROM pragma_compile_options WHERE compile_options = 'ENABLE_FTS5')";
    const [text, searches] = new Prepared<[], unknown[]>(db.prepare(sql)).raw().get() ?? [];
    return text === "a\0" && searches === 1;
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

  async backup(target: string, { progress }: { readonly progress: CopyProgress }): Promise<void> {
    try {
      const rate = progress({ totalPages: 0, remainingPages: 0 });
      await this.#sqlite.backup(this.#db, target, { rate, progress });
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
  #shape: "object" | "array" | "value" = "object";
  /** Of the columns, as of the last look. */
  #names: readonly string[] = [];

  constructor(statement: NodeStatement) {
    this.#statement = statement;
    // Objects are made here, in three quarters of the time that Node takes for them.
    statement.setReturnArrays(true);
  }

  run(...params: Params): Written {
    try {
      const written = this.#statement.run(...params);
      // Node keeps a copy of what was bound until the statement is used again: of a large text, it is let go.
      if (params.some(isLarge)) this.#statement.iterate();
      return written;
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
    for (const row of this.#rounded(params)) return this.#shaped(row);
    return undefined;
  }

  all(...params: Params): Row[] {
    try {
      const rows = this.#statement.all(...params);
      return this.#shape === "array" ? (rows as Row[]) : rows.map((row) => this.#shaped(row));
    } catch (error) {
      if (!isTooLarge(error)) throw withCode(error);
    }
    return Array.from(this.#rounded(params), (row) => this.#shaped(row));
  }

  /** No generator: in a long read it costs a sixth. */
  iterate(...params: Params): IterableIterator<Row> {
    let rows = named(() => this.#statement.iterate(...params));
    let given = 0;
    const next = (): IteratorResult<Row> => {
      try {
        const step = rows.next();
        if (step.done === true) return step;
        given += 1;
        return { done: false, value: this.#shaped(step.value) };
      } catch (error) {
        this.#reset(params);
        if (!isTooLarge(error)) throw withCode(error);
        rows = this.#rounded(params);
        for (let i = 0; i < given; i += 1) rows.next();
        return next();
      }
    };
    return {
      next,
      return: () => (rows.return?.(), { done: true, value: undefined }),
      [Symbol.iterator]() {
        return this;
      },
    };
  }

  raw(): this {
    this.#shape = "array";
    return this;
  }

  pluck(): this {
    this.#shape = "value";
    return this;
  }

  /** Node tells the error that ended an iteration once more at the next use of the statement, whose reset forgets it. */
  #reset(params: Params): void {
    try {
      this.#statement.iterate(...params);
    } catch {
      // It was told.
    }
  }

  #shaped(columns: unknown[]): Row {
    if (this.#shape === "array") return columns as Row;
    if (this.#shape === "value") return columns[0] as Row;
    // Another process may have added a column since: SQLite has then prepared the statement anew.
    if (this.#names.length !== columns.length)
      this.#names = this.#statement.columns().map(({ name }) => name);
    const row: Record<string, unknown> = {};
    for (let i = 0; i < columns.length; i += 1) row[this.#names[i] ?? ""] = columns[i];
    return row as Row;
  }

  /**
   * Rows with integers that are no safe ones in JavaScript, which only damage leaves: as the nearest number, as every
   * other engine gives them, so that it is told where it lies.
   */
  *#rounded(params: Params): Generator<unknown[]> {
    this.#statement.setReadBigInts(true);
    try {
      for (const row of this.#statement.iterate(...params))
        yield row.map((value) => (typeof value === "bigint" ? Number(value) : value));
    } catch (error) {
      this.#reset(params);
      throw withCode(error);
    } finally {
      this.#statement.setReadBigInts(false);
    }
  }
}

function isLarge(value: unknown): boolean {
  return typeof value === "string" && value.length > largeText;
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
