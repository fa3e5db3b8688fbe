/** Journals of a database that is rebuilt: their gaps, their ancestors, what is left over of them. */
import type { Database } from "../../sqlite/engine.ts";
import { kindNumbers } from "../../store/sql/sqlite/schema.ts";
import { placeholder } from "../../store/placeholder.ts";

export interface Span {
  readonly from: number;
  readonly through: number;
}

export interface JournalRow {
  readonly parent_no: number | null;
  readonly base_seq: number;
}

/** A head that lies so far behind the last entry found is damaged itself: a gap is not filled with millions. */
const longestTail = 1_000_000;

export class Journals {
  /** Messages put in the place of lost entries. */
  placeholders = 0;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(no: number): JournalRow | undefined {
    return this.#db
      .prepare<[number], JournalRow>("SELECT parent_no, base_seq FROM journals WHERE no = ?")
      .get(no);
  }

  put(no: number, parentNo: number | null, baseSeq: number): JournalRow {
    this.#db.prepare("INSERT OR REPLACE INTO journals VALUES (?, ?, ?)").run(no, parentNo, baseSeq);
    return { parent_no: parentNo, base_seq: baseSeq };
  }

  remove(no: number): void {
    this.#db.prepare("DELETE FROM journals WHERE no = ?").run(no);
    this.#keep(no, { from: 1, through: 0 });
  }

  /** When its first entry was written, if there is one. */
  firstAtMs(no: number): number | undefined {
    return this.#of<number>(no, "min(at_ms)");
  }

  /** The head: as it was written, unless that is beyond all sense; else as entries tell. */
  headOf(no: number, written: number | undefined, baseSeq: number): number {
    const last = Math.max(this.#of<number>(no, "max(key) & 0xffffffff") ?? 0, baseSeq);
    return written === undefined || written > last + longestTail ? last : Math.max(written, baseSeq);
  }

  /** Leaves exactly `from` … `through`, a message for each entry that is missing. Returns what is missing. */
  fill(no: number, { from, through }: Span, atMs: number): Span[] {
    this.#keep(no, { from, through });
    const lost: Span[] = [];
    let next = from;
    const seqs = this.#db
      .prepare<[number, number], number>(
        "SELECT key & 0xffffffff FROM entries WHERE key > ? << 32 AND key < (? + 1) << 32 ORDER BY key",
      )
      .pluck();
    for (const seq of seqs.iterate(no, no)) {
      if (seq > next) lost.push({ from: next, through: seq - 1 });
      next = seq + 1;
    }
    if (next <= through) lost.push({ from: next, through });
    const { kind, data } = placeholder(atMs);
    const insert = this.#db.prepare("INSERT INTO entries VALUES ((? << 32) | ?, ?, ?, ?)");
    for (const span of lost) {
      for (let seq = span.from; seq <= span.through; seq += 1)
        insert.run(no, seq, atMs, kindNumbers[kind], data);
      this.placeholders += span.through - span.from + 1;
    }
    return lost;
  }

  /** Removes its entries that are not in the span. */
  #keep(no: number, { from, through }: Span): void {
    this.#db
      .prepare(
        `DELETE FROM entries WHERE key >= ? << 32 AND key < (? + 1) << 32
         AND (key & 0xffffffff) NOT BETWEEN ? AND ?`,
      )
      .run(no, no, from, through);
  }

  #of<T>(no: number, column: string): T | undefined {
    const sql = `SELECT ${column} FROM entries WHERE key > ? << 32 AND key < (? + 1) << 32`;
    return this.#db.prepare<[number, number], T | null>(sql).pluck().get(no, no) ?? undefined;
  }
}
