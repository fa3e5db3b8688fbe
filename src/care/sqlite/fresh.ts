/** The new database that a damaged one's rows are put into, with what indexes said of rows that may be lost. */
import { closeSync, openSync } from "node:fs";
import { transact, type Database, type Statement } from "../../store/sql/sqlite/engine.ts";
import { loadEngine } from "../../store/sql/sqlite/engines.ts";
import { migrate } from "../../store/sql/sqlite/migrations.ts";
import type { PageFile } from "./page-file.ts";
import type { Value } from "./row.ts";
import { salvage, type Sink, type Table } from "./salvage.ts";

const hints = `
  CREATE TEMP TABLE session_hints (no INTEGER PRIMARY KEY, id TEXT NOT NULL, updated_at_ms INTEGER);
  CREATE TEMP TABLE journal_hints (no INTEGER PRIMARY KEY, parent_no INTEGER, base_seq INTEGER);
  CREATE TEMP TABLE term_hints (no INTEGER, term TEXT, PRIMARY KEY (no, term)) WITHOUT ROWID;
`;

/** Makes a database at `path`, where nothing is, of all that `file` still holds. To be mended, then synced. */
export async function rebuild(file: PageFile, path: string): Promise<Database> {
  closeSync(openSync(path, "wx", 0o600));
  const engine = await loadEngine();
  const db = engine.open(path);
  try {
    // Nobody knows of it before it is whole and synced.
    db.pragma("journal_mode = MEMORY");
    db.pragma("synchronous = OFF");
    db.pragma("temp_store = MEMORY");
    migrate(db, path);
    db.exec(hints);
    transact(db, "BEGIN", () => salvage(file, new Fresh(db)));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A key's first row is taken: salvage brings those first that trees lead to. */
class Fresh implements Sink {
  readonly #rows: Readonly<Record<Table, Statement<Value[]>>>;
  readonly #session: Statement<[number, string, number | null]>;
  readonly #journal: Statement<[number, number, number]>;
  readonly #term: Statement<[number, string]>;
  readonly #knows: Statement<[number], number>;

  constructor(db: Database) {
    const into = (table: string, columns: number, key = "?") =>
      db.prepare<Value[]>(`INSERT OR IGNORE INTO ${table} VALUES (${key}${", ?".repeat(columns - 1)})`);
    this.#rows = {
      journals: into("journals", 3),
      sessions: into("sessions", 11),
      records: into("records", 2),
      doomed: into("doomed", 1),
      entries: into("entries", 4, "(? << 32) | ?"),
    };
    this.#session = db.prepare(
      `INSERT INTO session_hints VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET updated_at_ms = coalesce(updated_at_ms, excluded.updated_at_ms)`,
    );
    this.#journal = db.prepare("INSERT OR IGNORE INTO journal_hints VALUES (?, ?, ?)");
    this.#term = db.prepare("INSERT OR IGNORE INTO term_hints VALUES (?, ?)");
    this.#knows = db.prepare<[number], number>("SELECT count(*) FROM journals WHERE no = ?").pluck();
  }

  row(table: Table, columns: readonly Value[]): void {
    this.#rows[table].run(...columns);
  }

  sessionHint(no: number, id: string, updatedAtMs: number | null): void {
    this.#session.run(no, id, updatedAtMs);
  }

  journalHint(no: number, parentNo: number, baseSeq: number): void {
    this.#journal.run(no, parentNo, baseSeq);
  }

  termHint(term: string, no: number): void {
    this.#term.run(no, term);
  }

  knowsJournal(no: number): boolean {
    return this.#knows.get(no) === 1;
  }
}
