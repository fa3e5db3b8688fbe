/** Makes a store again of what could be read of one, and tells what was lost, by session and entry. */
import { transact, type Database } from "../../sqlite/engine.ts";
import type { SessionId } from "../../base/ids.ts";
import { damagedEntries, type Damage } from "../damage.ts";
import type { NewSession } from "../../store/contract.ts";
import { factsOf } from "../../store/sql/sqlite/schema.ts";
import { termsOf } from "../../store/sql/sqlite/terms.ts";
import { factsFrom } from "./facts.ts";
import { Journals, type JournalRow, type Span } from "./journals.ts";

export interface Mended {
  /** Sound entries. */
  readonly entries: number;
  readonly damage: readonly Damage[];
  /** Sessions whose settings are lost, which the journal tells in part. */
  readonly withoutSettings: readonly SessionId[];
}

/** Takes what is no session any more before it is removed: the journal's number, what is known of the session. */
type SetAside = (no: number, id: SessionId | undefined, facts: string | undefined) => void;

/** @param file how the damaged database is called in what is told */
export function mend(db: Database, file: string, setAside: SetAside): Mended {
  const mending = new Mending(db, file, setAside);
  transact(db, "BEGIN", () => mending.run());
  const sound = db.prepare("SELECT count(*) FROM entries").pluck().get() as number;
  const { damage, withoutSettings } = mending;
  return { entries: sound - mending.journals.placeholders, damage, withoutSettings };
}

/** The columns of `sessions`. */
interface SessionRow {
  readonly no: number;
  readonly id: string;
  readonly updated_at_ms: number;
  readonly base_seq: number;
  readonly head_seq: number;
  readonly sealed_seq: number;
  readonly fence: number;
  /** JSON of a `Holder`; null when nobody holds the session. */
  readonly holder: string | null;
  readonly since_ms: number;
  readonly expires_at_ms: number;
  readonly turn_running: number;
}

/** Columns of `sessions` are null when the row is lost. */
type Found = { readonly [Column in keyof Omit<SessionRow, "no">]: SessionRow[Column] | null } & {
  readonly no: number;
  readonly facts: string | null;
  /** What the indexes say. */
  readonly known_id: string | null;
  readonly known_at_ms: number | null;
};

class Mending {
  readonly damage: Damage[] = [];
  readonly withoutSettings: SessionId[] = [];
  readonly journals: Journals;
  readonly #db: Database;
  readonly #file: string;
  readonly #setAside: SetAside;
  /** Journals of sessions that are lost. */
  readonly #lost = new Set<number>();

  constructor(db: Database, file: string, setAside: SetAside) {
    this.#db = db;
    this.#file = file;
    this.#setAside = setAside;
    this.journals = new Journals(db);
  }

  run(): void {
    const db = this.#db;
    db.exec("INSERT OR IGNORE INTO journals SELECT * FROM journal_hints");
    // Parents first: numbers grow.
    for (const found of this.#found()) this.#session(found);
    this.#leftOver();
    db.exec("DELETE FROM doomed");
    const last = "SELECT coalesce(max(no), 0) FROM journals";
    db.exec(`DELETE FROM sqlite_sequence; INSERT INTO sqlite_sequence SELECT 'journals', (${last})`);
  }

  /** Whatever tells of a session that was not deleted: deleting takes its row and its record at once. */
  #found(): Found[] {
    return this.#db
      .prepare<[], Found>(
        `SELECT s.*, n.no, r.facts, h.id AS known_id, h.updated_at_ms AS known_at_ms
         FROM (SELECT no FROM sessions UNION SELECT no FROM records
           UNION SELECT no FROM session_hints WHERE no IN (SELECT no FROM journals)) n
         LEFT JOIN sessions s ON s.no = n.no LEFT JOIN records r ON r.no = n.no
         LEFT JOIN session_hints h ON h.no = n.no
         WHERE n.no NOT IN (SELECT no FROM doomed) ORDER BY n.no`,
      )
      .all();
  }

  #session(found: Found): void {
    const { no } = found;
    const id = (found.id ?? found.known_id ?? undefined) as SessionId | undefined;
    const journal = this.#journal(found);
    const facts = found.facts ?? this.#factsFound(found, journal);
    if (id === undefined || facts === undefined) return this.#lose(no, id, found.facts ?? undefined);
    const row = this.#rowOf(found, id, journal);
    const lost = this.journals.fill(no, { from: row.base_seq + 1, through: row.head_seq }, row.updated_at_ms);
    for (const entries of lost) this.#report(id, damagedEntries(entries.from, entries.through), entries);
    if (found.facts === null) {
      this.withoutSettings.push(id);
      this.#report(
        id,
        "its record is damaged: folder and ids are known from an index, title and settings are lost",
      );
    }
    if (found.head_seq === null)
      this.#report(id, "its row is damaged: an index tells its id, its entries where it ends");
    this.#keep(row, facts);
  }

  /** The session's journal. What it inherits from must be there, or messages take its place. */
  #journal({ no, base_seq: base, facts }: Found): JournalRow {
    const found = this.journals.get(no);
    const lineage = facts === null ? undefined : (JSON.parse(facts) as NewSession).lineage;
    const baseSeq = found?.base_seq ?? base ?? lineage?.atSeq ?? 0;
    if (baseSeq === 0) return found ?? this.journals.put(no, null, 0);
    const parentNo = found?.parent_no ?? this.#ancestor(lineage?.parentId, baseSeq);
    if (parentNo === undefined || parentNo >= no) return this.journals.put(no, null, 0);
    if (this.journals.get(parentNo) === undefined) this.journals.put(parentNo, null, 0);
    return found ?? this.journals.put(no, parentNo, baseSeq);
  }

  /** The journal that holds entry `seq` of a session: its own, or one that it inherits from. */
  #ancestor(id: SessionId | undefined, seq: number): number | undefined {
    const select = this.#db.prepare<[string | null], number>("SELECT no FROM sessions WHERE id = ?").pluck();
    let no = select.get(id ?? null) ?? null;
    for (
      let row = no && this.journals.get(no);
      row && row.base_seq >= seq;
      row = no && this.journals.get(no)
    ) {
      no = row.parent_no;
    }
    return no ?? undefined;
  }

  #factsFound(
    { no, known_at_ms: atMs, updated_at_ms }: Found,
    { base_seq: base }: JournalRow,
  ): string | undefined {
    const terms = this.#db
      .prepare<[number], string>("SELECT term FROM term_hints WHERE no = ?")
      .pluck()
      .all(no);
    const createdAtMs = this.journals.firstAtMs(no) ?? updated_at_ms ?? atMs ?? 0;
    const facts = factsFrom(terms, createdAtMs, base);
    return facts && factsOf({ ...facts, id: "" as SessionId, updatedAtMs: 0 });
  }

  #rowOf(found: Found, id: SessionId, { base_seq: base }: JournalRow): SessionRow {
    const { no, fence, holder } = found;
    const head = this.journals.headOf(no, found.head_seq ?? undefined, base);
    return {
      no,
      id,
      updated_at_ms: found.updated_at_ms ?? found.known_at_ms ?? this.journals.firstAtMs(no) ?? 0,
      base_seq: base,
      head_seq: head,
      sealed_seq: Math.min(Math.max(found.sealed_seq ?? head, base), head),
      // Beyond whatever it was: who held the session before must not be able to write.
      fence: fence ?? Date.now(),
      holder: holder ?? null,
      since_ms: found.since_ms ?? 0,
      expires_at_ms: found.expires_at_ms ?? 0,
      turn_running: found.turn_running ?? 0,
    };
  }

  #keep(row: SessionRow, facts: string): void {
    const db = this.#db;
    db.prepare(
      `INSERT OR REPLACE INTO sessions VALUES (@no, @id, @updated_at_ms, @base_seq, @head_seq, @sealed_seq,
         @fence, @holder, @since_ms, @expires_at_ms, @turn_running)`,
    ).run(row);
    db.prepare("INSERT OR REPLACE INTO records VALUES (?, ?)").run(row.no, facts);
    const term = db.prepare("INSERT INTO terms VALUES (?, ?)");
    const session = { ...(JSON.parse(facts) as NewSession), id: row.id as SessionId };
    for (const each of termsOf(session)) term.run(each, row.no);
  }

  /** Its entries are there, but nothing that makes a session of them. */
  #lose(no: number, id: SessionId | undefined, facts: string | undefined): void {
    this.#lost.add(no);
    this.#setAside(no, id, facts);
    const what = id === undefined ? "the id of a session cannot be found" : "its record cannot be found";
    this.#report(id, `${what} again; what is left of it is set aside as text`);
    this.#db.prepare("DELETE FROM sessions WHERE no = ?").run(no);
    this.#db.prepare("DELETE FROM records WHERE no = ?").run(no);
  }

  /** Journals without a session: kept as far as forks inherit from them, which is what deleting leaves. */
  #leftOver(): void {
    const heirs = this.#db
      .prepare<[number], number | null>("SELECT max(base_seq) FROM journals WHERE parent_no = ?")
      .pluck();
    // Heirs before those whom they inherit from.
    for (const { no, doomed } of this.#withoutSession()) {
      const through = heirs.get(no) ?? null;
      const atMs = this.journals.firstAtMs(no);
      if (through === null) {
        if (doomed === 0 && atMs !== undefined && !this.#lost.has(no)) this.#stray(no);
        this.journals.remove(no);
        continue;
      }
      const { base_seq: base } = this.journals.get(no) ?? this.journals.put(no, null, 0);
      const lost = this.journals.fill(no, { from: base + 1, through }, atMs ?? 0);
      for (const entries of lost) this.#reportToHeirs(no, entries);
    }
  }

  #withoutSession(): { readonly no: number; readonly doomed: number }[] {
    return this.#db
      .prepare<[], { no: number; doomed: number }>(
        `SELECT n.no, n.no IN (SELECT no FROM doomed) AS doomed
         FROM (SELECT no FROM journals UNION SELECT DISTINCT key >> 32 FROM entries) n
         WHERE n.no NOT IN (SELECT no FROM sessions) ORDER BY n.no DESC`,
      )
      .all();
  }

  #stray(no: number): void {
    this.#setAside(no, undefined, undefined);
    this.#report(undefined, "there are entries of a session that is not there; they are set aside as text");
  }

  #reportToHeirs(no: number, entries: Span): void {
    const ids = this.#db
      .prepare<[number, number], SessionId>(
        `WITH RECURSIVE heirs(no) AS (
           VALUES (?) UNION SELECT j.no FROM journals j JOIN heirs h ON j.parent_no = h.no WHERE j.base_seq >= ?)
         SELECT id FROM heirs JOIN sessions USING (no)`,
      )
      .pluck()
      .all(no, entries.from);
    for (const id of ids) this.#report(id, damagedEntries(entries.from, entries.through), entries);
  }

  #report(sessionId: SessionId | undefined, problem: string, entries?: Span): void {
    this.damage.push({
      ...(sessionId !== undefined && { sessionId }),
      file: this.#file,
      ...(entries && { entries }),
      problem,
    });
  }
}
