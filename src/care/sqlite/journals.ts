/** Journals of a database that is rebuilt: their gaps, their ancestors, what is left over of them. */
import type { Database, Statement } from "../../store/sql/sqlite/engine.ts";
import { placeholder } from "../medium.ts";
import { kindNumbers } from "../../store/sql/sqlite/schema.ts";

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
  /** Entries put in the place of lost ones. */
  holes = 0;
  readonly #select: Statement<[number], JournalRow>;
  readonly #put: Statement<[number, number | null, number]>;
  readonly #remove: Statement<[number]>;
  readonly #seqs: Statement<[number, number, number, number], number>;
  readonly #ends: Statement<
    [number, number],
    { first: number | null; last: number | null; atMs: number | null }
  >;
  readonly #insert: Statement<[number, number, number, number, string]>;
  readonly #cut: Statement<[number, number, number, number, number, number]>;

  constructor(db: Database) {
    this.#select = db.prepare("SELECT parent_no, base_seq FROM journals WHERE no = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO journals VALUES (?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM journals WHERE no = ?");
    this.#seqs = db
      .prepare<[number, number, number, number], number>(
        "SELECT key & 0xffffffff FROM entries WHERE key BETWEEN (? << 32) | ? AND (? << 32) | ? ORDER BY key",
      )
      .pluck();
    this.#ends = db.prepare(
      `SELECT min(key) & 0xffffffff AS first, max(key) & 0xffffffff AS last, min(at_ms) AS atMs
       FROM entries WHERE key > ? << 32 AND key < (? + 1) << 32`,
    );
    this.#insert = db.prepare("INSERT INTO entries VALUES ((? << 32) | ?, ?, ?, ?)");
    this.#cut = db.prepare(
      `DELETE FROM entries WHERE key BETWEEN ? << 32 AND (? << 32) | ?
       OR (key > (? << 32) | ? AND key < (? + 1) << 32)`,
    );
  }

  get(no: number): JournalRow | undefined {
    return this.#select.get(no);
  }

  put(no: number, parentNo: number | null, baseSeq: number): JournalRow {
    this.#put.run(no, parentNo, baseSeq);
    return { parent_no: parentNo, base_seq: baseSeq };
  }

  remove(no: number): void {
    this.#remove.run(no);
    this.#cut.run(no, no, 0, no, 0, no);
  }

  /** When its first entry was written, if there is one. */
  firstAtMs(no: number): number | undefined {
    return this.#ends.get(no, no)?.atMs ?? undefined;
  }

  /** The head: as it was written, unless that is beyond all sense; else as entries tell. */
  headOf(no: number, written: number | undefined, baseSeq: number): number {
    const last = Math.max(this.#ends.get(no, no)?.last ?? 0, baseSeq);
    return written === undefined || written > last + longestTail ? last : Math.max(written, baseSeq);
  }

  /** Leaves exactly `from` … `through`, a hole for each entry that is missing. Returns what is missing. */
  fill(no: number, { from, through }: Span, atMs: number): Span[] {
    this.#cut.run(no, no, from - 1, no, through, no);
    const lost: Span[] = [];
    let next = from;
    for (const seq of this.#seqs.iterate(no, from, no, through)) {
      if (seq > next) lost.push({ from: next, through: seq - 1 });
      next = seq + 1;
    }
    if (next <= through) lost.push({ from: next, through });
    const { kind, data } = placeholder(atMs);
    for (const span of lost) {
      for (let seq = span.from; seq <= span.through; seq += 1) {
        this.#insert.run(no, seq, atMs, kindNumbers[kind], data);
        this.holes += 1;
      }
    }
    return lost;
  }
}
