/** Journals in SQLite: one row an entry, found by a key of journal number and `seq`. */
import type { SessionId } from "../../../base/ids.ts";
import type { Entry, NewEntry, SealRange } from "../../contract.ts";
import { entryDamaged } from "../../reading.ts";
import type { JournalWrite } from "../../driver.ts";
import type { SessionKey, JournalPage, Stretch } from "../dialect.ts";
import type { Operation } from "../operation.ts";
import type { Database, Statement } from "../../../sqlite/engine.ts";
import { isEntry, isSummed, kindIn, markOf } from "./mark.ts";
import { SoundText } from "./sound-text.ts";

const pageEntries = 500;
const pageChars = 1 << 16;
const entriesPerCut = 500;
const rememberedSessions = 4096;

/** A number stays right forever, because none is used twice; the time is to be checked where it is used. */
interface KnownSession {
  readonly no: number;
  updatedAtMs: number;
}

/** `seq`, `at_ms`, `kind` (see mark.ts), `data`. */
type EntryRow = [number, number, number, string];

export class Journal {
  readonly #texts: SoundText;
  readonly #known = new Map<SessionId, KnownSession>();
  readonly #session: Statement<[string], KnownSession>;
  readonly #advance: Statement<number[]>;
  readonly #advanceTime: Statement<number[]>;
  readonly #advanceSeal: Statement<number[]>;
  readonly #insert: Statement<[number, number, number, number, string]>;
  readonly #remove: Statement<number[]>;
  readonly #removeSome: Statement<number[]>;
  readonly #select: Statement<number[], EntryRow>;
  readonly #state: Statement<[number], NonNullable<JournalPage["session"]>>;

  constructor(db: Database) {
    this.#texts = new SoundText(db);
    this.#session = db.prepare("SELECT no, updated_at_ms AS updatedAtMs FROM sessions WHERE id = ?");
    const set = "head_seq = ?, expires_at_ms = ?, turn_running = ?";
    const held = "WHERE no = ? AND fence = ? AND head_seq = ?";
    this.#advance = db.prepare(`UPDATE sessions SET ${set} ${held} AND updated_at_ms = ?`);
    this.#advanceTime = db.prepare(`UPDATE sessions SET updated_at_ms = ?, ${set} ${held}`);
    this.#advanceSeal = db.prepare(
      `UPDATE sessions SET updated_at_ms = max(updated_at_ms, ?), sealed_seq = ?, ${set} ${held}`,
    );
    this.#insert = db.prepare("INSERT INTO entries (key, at_ms, kind, data) VALUES ((? << 32) | ?, ?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM entries WHERE key BETWEEN (? << 32) | ? AND (? << 32) | ?");
    this.#removeSome = db.prepare(
      `DELETE FROM entries WHERE key IN (
         SELECT key FROM entries WHERE key >= (? << 32) | ? AND key < (? + 1) << 32 LIMIT ${entriesPerCut}
       )`,
    );
    this.#select = db
      .prepare<number[], EntryRow>(
        `SELECT key & 0xffffffff, at_ms, kind, data FROM entries
         WHERE key BETWEEN (? << 32) | ? AND (? << 32) | ? ORDER BY key LIMIT ${pageEntries}`,
      )
      .raw();
    this.#state = db.prepare("SELECT head_seq, sealed_seq FROM sessions WHERE no = ?");
  }

  /** The hot path: one UPDATE that checks fence and head and moves head and lease, then the inserts. */
  *append(write: JournalWrite, after: number, seals: boolean): Operation<boolean> {
    const { id, entries } = write;
    if (entries.length === 0 && !seals) return false;
    const known = this.#knownOf(id);
    if (known === undefined) return false;
    if (!this.#advanceHead(known, write, after, seals)) {
      this.#known.delete(id);
      return false;
    }
    this.#put(known.no, after + 1, entries);
    return true;
  }

  *replace(no: number, { from, head }: SealRange, entries: readonly NewEntry[]): Operation<void> {
    if (from <= head) this.#remove.run(no, from, no, head);
    this.#put(no, from, entries);
  }

  /** A few only, because a long journal must not hold up the event loop or other processes. */
  *cut(no: number, from: number): Operation<boolean> {
    return this.#removeSome.run(no, from, no).changes === entriesPerCut;
  }

  /** To be called in a transaction. Nothing stays open when it returns. Errors: `STORE_CORRUPT` with the session and the entry. */
  page({ id, no: own }: SessionKey, { no, from, through }: Stretch): JournalPage {
    const entries: Entry[] = [];
    const suspects: Pick<Entry, "seq" | "data">[] = [];
    let chars = 0;
    for (const [seq, atMs, mark, data] of this.#select.iterate(no, from, no, through)) {
      const kind = kindIn(mark);
      if (kind === undefined || !isEntry(mark, atMs, data)) throw entryDamaged(id, seq);
      entries.push({ seq, kind, atMs, data });
      if (!isSummed(mark) && this.#texts.mayBeDamaged(data)) suspects.push({ seq, data });
      chars += data.length;
      if (chars >= pageChars) break;
    }
    // A text goes out to clients as it is.
    for (const { seq, data } of suspects) {
      if (this.#texts.isDamaged(no, seq, data)) throw entryDamaged(id, seq);
    }
    return { entries, session: this.#state.get(own) };
  }

  /** False when fence or head are not what the writer believes. */
  #advanceHead(
    known: KnownSession,
    { lease, entries }: JournalWrite,
    after: number,
    seals: boolean,
  ): boolean {
    const { no, updatedAtMs } = known;
    const head = after + entries.length;
    const expiresAtMs = Date.now() + lease.ttlMs;
    const state = [head, expiresAtMs, lease.turnRunning ? 1 : 0, no, lease.fence, after];
    const atMs = entries.at(-1)?.atMs ?? 0;
    if (seals) return this.#advanceSeal.run(atMs, head, ...state).changes === 1;
    // Within one millisecond activity stays where it is: its index need not be written, a third of the bytes.
    if (updatedAtMs === atMs && this.#advance.run(...state, atMs).changes === 1) return true;
    known.updatedAtMs = atMs;
    return this.#advanceTime.run(atMs, ...state).changes === 1;
  }

  #put(no: number, first: number, entries: readonly NewEntry[]): void {
    let seq = first;
    for (const { kind, atMs, data } of entries) {
      this.#insert.run(no, seq, atMs, markOf(kind, atMs, data), data);
      seq += 1;
    }
  }

  /** From memory if it was asked for before: it may have changed since. */
  #knownOf(id: SessionId): KnownSession | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const found = this.#session.get(id);
    if (this.#known.size >= rememberedSessions) this.#known.clear();
    if (found !== undefined) this.#known.set(id, found);
    return found;
  }
}
