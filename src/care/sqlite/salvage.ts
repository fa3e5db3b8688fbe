/** Every row of ours that a database file still holds, whether or not SQLite can find it. */
import { isJsonObjectText } from "../../base/json.ts";
import { isSessionId } from "../../base/ids.ts";
import { isEntry, isSummed } from "../../store/sql/sqlite/mark.ts";
import { areFacts } from "./facts.ts";
import { cellAt, nodeOn, type Cell, type Node } from "./node.ts";
import type { PageFile } from "./page-file.ts";
import { reachOf } from "./reach.ts";
import { rowIn, type Row, type Value } from "./row.ts";

/** Where rows go. The first of several with the same key counts. */
export interface Sink {
  /** Columns of the table that is named, in their order, the key first. */
  row(table: Table, columns: readonly Value[]): void;
  /** From an index: what a session's row said that may be lost. */
  sessionHint(no: number, id: string, updatedAtMs: number | null): void;
  journalHint(no: number, parentNo: number, baseSeq: number): void;
  termHint(term: string, no: number): void;
  knowsJournal(no: number): boolean;
}

export type Table = "journals" | "sessions" | "records" | "doomed" | "entries";

/** A row found, told by what it looks like. */
interface Found {
  /** The table or index that it belongs to. */
  readonly of: string;
  /** The journal that it concerns. */
  readonly no: number;
  readonly put: (sink: Sink) => void;
}

/**
 * Rows on pages that trees lead to first. Those on other pages count only for a tree that is broken: pages that
 * were given back hold what was deleted, and a deleted session must not come back from one. Where such pages
 * cannot be told from lost ones, only what concerns a known journal counts. Knows the newest schema only.
 */
export function salvage(file: PageFile, sink: Sink): void {
  const { isReached, isFree, broken, knowsFree } = reachOf(file);
  for (const { put } of rowsOn(file, isReached)) put(sink);
  if (broken.size === 0) return;
  const putLost = (counts: (found: Found) => boolean) => {
    for (const found of rowsOn(file, (no) => !isReached(no) && !isFree(no))) {
      if (broken.has(found.of) && counts(found)) found.put(sink);
    }
  };
  if (knowsFree) return putLost(() => true);
  putLost(({ of }) => of === "journals");
  putLost(({ of, no }) => of !== "journals" && sink.knowsJournal(no));
}

function* rowsOn(file: PageFile, wanted: (no: number) => boolean): Generator<Found> {
  for (const [no, page] of file.pages()) {
    if (!wanted(no)) continue;
    const node = nodeOn(page, no, file);
    // The inner pages of an index hold rows, too; those of a table only lead to them.
    if (node === undefined || (node.kind === "table" && !node.isLeaf)) continue;
    for (const at of node.cells) {
      const found = rowAt(page, at, node, file);
      if (found !== undefined) yield found;
    }
  }
}

function rowAt(page: Buffer, at: number, node: Node, file: PageFile): Found | undefined {
  const cell = cellAt(page, at, node, file);
  const row = cell && rowIn(cell.payload);
  if (cell === undefined || row === undefined) return undefined;
  return node.kind === "table" ? ofTable(cell, row) : ofIndex(row);
}

function ofTable({ rowid }: Cell, row: Row): Found | undefined {
  if (row[0] !== null || rowid < 1n) return undefined;
  if (row.length === 4) return entry(rowid, row);
  const no = Number(rowid);
  const columns = [no, ...row.slice(1)];
  const found = (of: Table): Found => ({ of, no, put: (sink) => sink.row(of, columns) });
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
  return { of: "entries", no, put: (sink) => sink.row("entries", [no, seq, atMs, mark, data]) };
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

function ofIndex(row: Row): Found | undefined {
  const [first, second, third] = row;
  if (row.length === 2 && typeof first === "string" && isCount(second)) {
    if (!isSessionId(first)) return { of: "terms", no: second, put: (sink) => sink.termHint(first, second) };
    const put = (sink: Sink) => sink.sessionHint(second, first, null);
    return { of: "sqlite_autoindex_sessions_1", no: second, put };
  }
  if (row.length !== 3 || !isCount(first) || !isCount(third)) return undefined;
  if (typeof second === "string" && isSessionId(second)) {
    const put = (sink: Sink) => sink.sessionHint(third, second, first);
    return { of: "sessions_by_activity", no: third, put };
  }
  if (!isCount(second)) return undefined;
  return { of: "journals_by_parent", no: third, put: (sink) => sink.journalHint(third, first, second) };
}
