/** The SQLite that Node carries, in the shape of engine.ts. It needs no compiler and no install script. */
import { pathToFileURL } from "node:url";
import type { Access, CopyProgress, Database, Engine, Statement } from "./engine.ts";
import { named, Prepared, withCode, type NodeStatement } from "./node-statement.ts";
import { isReleased, isSafe } from "./node-versions.ts";

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
    open: (path, timeout = 0, access = "rw") =>
      named(() => new Connection(sqlite, new sqlite.DatabaseSync(locationOf(path, access), { timeout }))),
  };
}

/** As a URL, because only that can say that no file is to be made. */
function locationOf(path: string, access: Access): URL | string {
  if (path === ":memory:") return path;
  const url = pathToFileURL(path);
  url.searchParams.set("mode", access);
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
      const totalPages = await this.#sqlite.backup(this.#db, target, { rate, progress });
      // Node tells of each step but the last.
      progress({ totalPages, remainingPages: 0 });
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
