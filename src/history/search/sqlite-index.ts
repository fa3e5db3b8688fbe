/**
 * The index of a store in a SQLite file, or in memory. A message's number is that of its stretch of its session and its
 * place in that, so that what was found needs no look-up to be known; a session that is forgotten takes its
 * stretches along, and what the words still say of them is passed over.
 */
import { randomInt } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionId } from "../../base/ids.ts";
import { pause } from "../../base/time.ts";
import type { Database, Statement } from "../../sqlite/engine.ts";
import { isBusy } from "../../sqlite/result-codes.ts";
import { indexError, openIndexFile, type OpenedIndex } from "./index-file.ts";
import { Finding } from "./sqlite-finding.ts";
import { Shards } from "./shards.ts";
import { partOf, rowIdOf } from "./sqlite-rows.ts";
import { changedBy, knownColumns, toKnown, toRow, type KnownRow } from "../../store/known-row.ts";
import type {
  Asked,
  Batch,
  Candidate,
  IndexedMessage,
  IndexState,
  KnownSession,
  TextIndex,
} from "../../store/text-index.ts";

const lockWaitMs = 5000;
/** Of a step of tidying. */
const mergedPages = 300;
/** A shard is tidied when so many messages were added. */
const muchWritten = 2000;
const putSession = `INSERT INTO sessions (${knownColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET ${changedBy("excluded")}`;

/** Errors: `STORE_UNAVAILABLE` without a SQLite; the system's own where the file cannot be written. */
export async function openSqliteIndex(file: string): Promise<TextIndex> {
  const deadlineMs = performance.now() + lockWaitMs;
  for (;;) {
    try {
      return new SqliteIndex(await openIndexFile(file));
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() > deadlineMs) throw indexError(error, file);
    }
    await pause(20);
  }
}

class SqliteIndex implements TextIndex {
  readonly place: string;
  readonly #db: Database;
  readonly #finding: Finding;
  readonly #shards: Shards;
  readonly #claimant = randomInt(1, 2 ** 47);
  /** How much was written to shards that are not tidied yet. */
  readonly #untidy = new Map<number, number>();
  /** The last one that was looked up: messages come session by session. */
  #lastSpan:
    | { readonly id: SessionId; readonly part: number; readonly no: number; readonly shard: number }
    | undefined;
  readonly #prepared = new Map<string, Statement>();

  constructor({ db, place }: OpenedIndex) {
    this.#db = db;
    this.place = place;
    this.#shards = new Shards(db);
    this.#finding = new Finding(db, place, this.#shards);
  }

  state(): IndexState {
    const rows = this.#all<{ name: string; value: number }>("SELECT name, value FROM meta");
    const value = (name: string) => rows.find((row) => row.name === name)?.value ?? 0;
    return {
      newestMs: value("newestMs"),
      lookedAtMs: value("lookedAtMs"),
      difference: value("difference"),
      sessions: this.#one<number>("SELECT count(*) FROM sessions") ?? 0,
    };
  }

  note(state: Partial<Omit<IndexState, "sessions">>): Promise<void> {
    return this.#transact(() => this.#note(state));
  }

  /** A claim is a row of each name: until when, and whose. */
  async claim(forMs: number): Promise<boolean> {
    let isMine = false;
    await this.#transact(() => {
      const value = (name: string) => this.#one<number>("SELECT value FROM meta WHERE name = ?", name) ?? 0;
      isMine = value("claimedBy") === this.#claimant || value("claimedUntilMs") < Date.now();
      if (isMine)
        this.#note({ claimedBy: this.#claimant, claimedUntilMs: forMs === 0 ? 0 : Date.now() + forMs });
    });
    return isMine;
  }

  known(ids: readonly SessionId[]): ReadonlyMap<SessionId, KnownSession> {
    const rows = this.#sessions("id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));
    return new Map(rows.map((session) => [session.id, session]));
  }

  open(): readonly KnownSession[] {
    return this.#sessions("is_open = 1");
  }

  forksOf(id: SessionId): readonly KnownSession[] {
    return this.#sessions("parent_id = ?", id);
  }

  all(): readonly SessionId[] {
    return this.#all<{ id: SessionId }>("SELECT id FROM sessions").map(({ id }) => id);
  }

  write({ sessions, messages }: Batch): Promise<void> {
    return this.#transact(() => {
      for (const session of sessions) this.#put(session);
      this.#index(messages);
    });
  }

  /** Each step holds the lock, and the event loop, for some milliseconds. */
  async tidy(pace: () => Promise<void> = nextTurn): Promise<void> {
    for (const [shard, written] of this.#untidy) {
      this.#untidy.delete(shard);
      if (written < muchWritten) continue;
      for (let pages = -mergedPages, isMore = true; isMore; pages = mergedPages) {
        await this.#transact(() => (isMore = this.#shards.tidy(shard, pages)));
        await pace();
      }
    }
  }

  drop(ids: readonly SessionId[]): Promise<void> {
    return this.#transact(() => {
      for (const id of ids) {
        this.#run("DELETE FROM spans WHERE session_no = (SELECT no FROM sessions WHERE id = ?)", id);
        this.#run("DELETE FROM sessions WHERE id = ?", id);
      }
    });
  }

  async *candidates(asked: Asked): AsyncGenerator<Candidate> {
    yield* this.#finding.candidates(asked);
  }

  close(): void {
    this.#db.close();
  }

  #note(values: Readonly<Record<string, number>>): void {
    const sql = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
    for (const [name, value] of Object.entries(values)) this.#run(sql, name, value);
  }

  #put(session: KnownSession): void {
    this.#run(putSession, ...Object.values({ ...toRow(session), is_open: Number(session.isOpen) }));
  }

  /** In the order of their numbers: FTS5 begins anew with each that is smaller than the one before. */
  #index(messages: readonly IndexedMessage[]): void {
    const rows = messages.map(({ id, seq, words }) => ({ ...this.#placeOf(id, seq), words }));
    rows.sort((a, b) => a.shard - b.shard || a.row - b.row);
    const added = new Map<number, number>();
    for (const { shard, row, words } of rows) {
      this.#shards.add(shard, row, words);
      added.set(shard, (added.get(shard) ?? 0) + 1);
    }
    for (const [shard, count] of added) {
      this.#shards.count(shard, count);
      this.#untidy.set(shard, (this.#untidy.get(shard) ?? 0) + count);
    }
  }

  #placeOf(id: SessionId, seq: number): { readonly shard: number; readonly row: number } {
    const part = partOf(seq);
    const last = this.#lastSpan;
    if (last?.id === id && last.part === part) return { shard: last.shard, row: rowIdOf(last.no, seq) };
    const [known] = this.#all<{ no: number; shard: number }>(
      `SELECT spans.no AS no, shard FROM spans JOIN sessions ON sessions.no = session_no
       WHERE id = ? AND part = ?`,
      id,
      part,
    );
    const span = known ?? this.#newSpan(id, part);
    this.#lastSpan = { id, part, ...span };
    return { shard: span.shard, row: rowIdOf(span.no, seq) };
  }

  #newSpan(id: SessionId, part: number): { readonly no: number; readonly shard: number } {
    const shard = this.#shards.newest();
    const sql = "INSERT INTO spans (session_no, part, shard) SELECT no, ?, ? FROM sessions WHERE id = ?";
    return { no: Number(this.#run(sql, part, shard, id).lastInsertRowid), shard };
  }

  #sessions(where: string, ...values: unknown[]): KnownSession[] {
    return this.#all<KnownRow>(`SELECT ${knownColumns} FROM sessions WHERE ${where}`, ...values).map(toKnown);
  }

  /** Other processes may be writing: the event loop goes on meanwhile. */
  async #transact(work: () => void): Promise<void> {
    const deadlineMs = performance.now() + lockWaitMs;
    for (;;) {
      try {
        this.#lastSpan = undefined;
        this.#db.exec("BEGIN IMMEDIATE");
        work();
        this.#db.exec("COMMIT");
        return;
      } catch (error) {
        if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
        if (!isBusy(error) || performance.now() > deadlineMs) throw indexError(error, this.place);
      }
      await pause(20);
    }
  }

  #run(sql: string, ...values: unknown[]) {
    return this.#statement(sql).run(...values);
  }

  #all<Row>(sql: string, ...values: unknown[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  #one<Value>(sql: string, ...values: unknown[]): Value | undefined {
    const row = this.#statement(sql).get(...values);
    return row === undefined ? undefined : (Object.values(row as object)[0] as Value);
  }

  #statement(sql: string): Statement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}
