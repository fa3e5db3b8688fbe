/** A new database of every row of ours that a damaged file still holds, whether or not SQLite can find it. */
import { closeSync, openSync } from "node:fs";
import { isJsonObjectText } from "../../base/json.ts";
import { isSessionId } from "../../base/ids.ts";
import { prepareVacuum } from "../../store/sql/sqlite/database.ts";
import { transact, type Database, type Statement } from "../../sqlite/engine.ts";
import { loadEngine } from "../../sqlite/engines.ts";
import { isEntry, isSummed } from "../../store/sql/sqlite/mark.ts";
import { migrate } from "../../store/sql/sqlite/migrations.ts";
import { nodeOn, rowsOn, type Row, type Value } from "./cells.ts";
import { areFacts } from "./facts.ts";
import type { PageFile } from "./page-file.ts";
import { reachOf } from "./reach.ts";

/** What indexes say of rows that may be lost. */
const hints = `
  CREATE TEMP TABLE session_hints (no INTEGER PRIMARY KEY, id TEXT NOT NULL, updated_at_ms INTEGER);
  CREATE TEMP TABLE journal_hints (no INTEGER PRIMARY KEY, parent_no INTEGER, base_seq INTEGER);
  CREATE TEMP TABLE term_hints (no INTEGER, term TEXT, PRIMARY KEY (no, term)) WITHOUT ROWID;
`;

/** By table. The first of several rows with the same key counts: those come first that trees lead to. */
const inserts = {
  journals: "INSERT OR IGNORE INTO journals VALUES (?, ?, ?)",
  sessions: "INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  records: "INSERT OR IGNORE INTO records VALUES (?, ?)",
  doomed: "INSERT OR IGNORE INTO doomed VALUES (?)",
  entries: "INSERT OR IGNORE INTO entries VALUES ((? << 32) | ?, ?, ?, ?)",
  session_hints: `INSERT INTO session_hints VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET updated_at_ms = coalesce(updated_at_ms, excluded.updated_at_ms)`,
  journal_hints: "INSERT OR IGNORE INTO journal_hints VALUES (?, ?, ?)",
  term_hints: "INSERT OR IGNORE INTO term_hints VALUES (?, ?)",
};
type Table = keyof typeof inserts;

/** A row, told by what it looks like. */
interface Found {
  /** The table or index that it was in. */
  readonly of: string;
  /** The journal that it concerns. */
  readonly no: number;
  readonly into: Table;
  readonly values: readonly Value[];
}

/** Makes the database at `path`, where nothing is. To be mended, then synced. Knows the newest schema only. */
export async function rebuild(file: PageFile, path: string): Promise<Database> {
  closeSync(openSync(path, "wx", 0o600));
  const engine = await loadEngine();
  const db = engine.open(path);
  try {
    // Nobody knows of it before it is whole and synced.
    prepareVacuum(db);
    db.pragma("journal_mode = MEMORY");
    db.pragma("synchronous = OFF");
    db.pragma("temp_store = MEMORY");
    migrate(db, path);
    db.exec(hints);
    transact(db, "BEGIN", () => salvage(file, db));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Rows on pages that trees lead to first. Those on other pages count only for a tree that is broken: pages that
 * were given back hold what was deleted, and a deleted session must not come back from one. Where such pages
 * cannot be told from lost ones, only what concerns a known journal counts.
 */
function salvage(file: PageFile, db: Database): void {
  const statements = new Map<Table, Statement<Value[]>>();
  for (const table of Object.keys(inserts) as Table[]) statements.set(table, db.prepare(inserts[table]));
  const journals = new Set<number>();
  const put = ({ into, no, values }: Found) => {
    if (into === "journals") journals.add(no);
    statements.get(into)?.run(...values);
  };
  const { isReached, isFree, broken, knowsFree } = reachOf(file);
  for (const found of findRows(file, isReached)) put(found);
  if (broken.size === 0) return;
  const putLost = (counts: (found: Found) => boolean) => {
    for (const found of findRows(file, (pageNo) => !isReached(pageNo) && !isFree(pageNo)))
      if (broken.has(found.of) && counts(found)) put(found);
  };
  if (knowsFree) return putLost(() => true);
  putLost(({ of }) => of === "journals");
  putLost(({ of, no }) => of !== "journals" && journals.has(no));
}

function* findRows(file: PageFile, wanted: (pageNo: number) => boolean): Generator<Found> {
  for (const [pageNo, page] of file.pages()) {
    const node = wanted(pageNo) ? nodeOn(page, pageNo, file) : undefined;
    // The inner pages of an index hold rows, too; those of a table only lead to them.
    if (node === undefined || (node.kind === "table" && !node.isLeaf)) continue;
    for (const { rowid, row } of rowsOn(page, node, file)) {
      const found = node.kind === "table" ? inTable(rowid, row) : inIndex(row);
      if (found !== undefined) yield found;
    }
  }
}

function inTable(rowid: bigint, row: Row): Found | undefined {
  if (row[0] !== null || rowid < 1n) return undefined;
  if (row.length === 4) return entry(rowid, row);
  const no = Number(rowid);
  const found = (of: Table): Found => ({ of, no, into: of, values: [no, ...row.slice(1)] });
  if (row.length === 1) return found("doomed");
  if (row.length === 2) return areFacts(String(row[1])) ? found("records") : undefined;
  if (row.length === 3) return isJournal(row) ? found("journals") : undefined;
  return row.length === 11 && isSession(row) ? found("sessions") : undefined;
}

function entry(rowid: bigint, [, atMs, mark, data]: Row): Found | undefined {
  const no = Number(rowid >> 32n);
  const seq = Number(rowid & 0xffffffffn);
  if (no < 1 || seq < 1 || !isCount(atMs) || atMs > latestMs || !isCount(mark)) return undefined;
  if (typeof data !== "string" || !isEntry(mark, atMs, data)) return undefined;
  if (!isSummed(mark) && !isJsonObjectText(data)) return undefined;
  return { of: "entries", no, into: "entries", values: [no, seq, atMs, mark, data] };
}

/** What a `Date` can tell. */
const latestMs = 8.64e15;

const isCount = (value: Value | undefined): value is number => typeof value === "number" && value >= 0;

function isJournal([, parentNo, baseSeq]: Row): boolean {
  return isCount(baseSeq) && (parentNo === null || (isCount(parentNo) && parentNo > 0));
}

function isSession([
  ,
  id,
  updatedAtMs,
  base,
  head,
  sealed,
  fence,
  holder,
  since,
  expires,
  turn,
]: Row): boolean {
  const isOrdered = isCount(base) && isCount(sealed) && isCount(head) && base <= sealed && sealed <= head;
  const isHeld = holder === null || (typeof holder === "string" && isJsonObjectText(holder));
  return (
    typeof id === "string" &&
    isSessionId(id) &&
    isOrdered &&
    isHeld &&
    [updatedAtMs, fence, since, expires].every(isCount) &&
    (turn === 0 || turn === 1)
  );
}

function inIndex(row: Row): Found | undefined {
  const [first, second, third] = row;
  if (row.length === 2 && typeof first === "string" && isCount(second)) {
    if (!isSessionId(first)) return { of: "terms", no: second, into: "term_hints", values: [second, first] };
    const values = [second, first, null];
    return { of: "sqlite_autoindex_sessions_1", no: second, into: "session_hints", values };
  }
  if (row.length !== 3 || !isCount(first) || !isCount(third)) return undefined;
  if (typeof second === "string" && isSessionId(second)) {
    const values = [third, second, first];
    return { of: "sessions_by_activity", no: third, into: "session_hints", values };
  }
  if (!isCount(second)) return undefined;
  return { of: "journals_by_parent", no: third, into: "journal_hints", values: [third, first, second] };
}
