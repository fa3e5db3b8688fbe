/**
 * Deleting: the session goes at once, its entries in small steps, for a long journal must not hold up the
 * event loop or other processes. What is still to be removed stands in `doomed`, so a crash forgets nothing.
 */
import type { Database, Statement } from "./engine.ts";
import type { SessionId } from "../../../base/ids.ts";
import type { Records } from "./records.ts";

/** Entries removed in one transaction. */
const entriesPerStep = 500;

interface DoomedRow {
  readonly no: number;
  readonly parent_no: number | null;
  /** The last entry that a fork still inherits; 0 when none does. */
  readonly kept_through: number | null;
}

export class Deletion {
  readonly #records: Records;
  readonly #deleteSession: Statement<[number]>;
  readonly #deleteFacts: Statement<[number]>;
  readonly #doom: Statement<[number]>;
  readonly #spare: Statement<[number]>;
  readonly #nextDoomed: Statement<[], DoomedRow>;
  readonly #removeSome: Statement<[number, number, number]>;
  readonly #deleteJournal: Statement<[number]>;
  readonly #orphaned: Statement<[number], number>;

  constructor(db: Database, records: Records) {
    this.#records = records;
    this.#deleteSession = db.prepare("DELETE FROM sessions WHERE no = ?");
    this.#deleteFacts = db.prepare("DELETE FROM records WHERE no = ?");
    this.#doom = db.prepare("INSERT OR IGNORE INTO doomed (no) VALUES (?)");
    this.#spare = db.prepare("DELETE FROM doomed WHERE no = ?");
    this.#nextDoomed = db.prepare(
      `SELECT no, parent_no, (SELECT max(base_seq) FROM journals f WHERE f.parent_no = j.no) AS kept_through
       FROM doomed JOIN journals j USING (no) LIMIT 1`,
    );
    this.#removeSome = db.prepare(
      `DELETE FROM entries WHERE key IN (
         SELECT key FROM entries WHERE key > (? << 32) | ? AND key < (? + 1) << 32 LIMIT ${entriesPerStep}
       )`,
    );
    this.#deleteJournal = db.prepare("DELETE FROM journals WHERE no = ?");
    this.#orphaned = db
      .prepare<[number], number>(
        "SELECT count(*) FROM journals WHERE no = ? AND no NOT IN (SELECT no FROM sessions)",
      )
      .pluck();
  }

  /** Removes the session itself and dooms its journal; `step` does the rest. */
  begin(id: SessionId): boolean {
    const no = this.#records.delete(id);
    if (no === undefined) return false;
    this.#deleteSession.run(no);
    this.#deleteFacts.run(no);
    this.#doom.run(no);
    return true;
  }

  /** Removes some of what is doomed. False when nothing was left to remove. */
  step(): boolean {
    const doomed = this.#nextDoomed.get();
    if (doomed === undefined) return false;
    const { no, parent_no: parentNo, kept_through: keptThrough } = doomed;
    const { changes } = this.#removeSome.run(no, keptThrough ?? 0, no);
    if (changes === entriesPerStep) return true;
    this.#spare.run(no);
    if (keptThrough === null) this.#forget(no, parentNo);
    return true;
  }

  /** No fork needs the journal any more. Its parent's may have waited for that. */
  #forget(no: number, parentNo: number | null): void {
    this.#deleteJournal.run(no);
    if (parentNo !== null && this.#orphaned.get(parentNo) === 1) this.#doom.run(parentNo);
  }
}
