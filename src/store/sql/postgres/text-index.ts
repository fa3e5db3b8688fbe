/**
 * The index of words on the server: one for all who share the store, brought up to date by whoever searches. A message is
 * a row, known by its session's journal and its place, so that two who write the same do not double it.
 */
import type { SessionId } from "../../../base/ids.ts";
import { codeOf } from "../../server/cause.ts";
import { knownColumns, toKnown, type KnownRow } from "../../known-row.ts";
import { locked, type MigrationLock } from "../../server/migration-lock.ts";
import { Turns } from "../../server/turns.ts";
import type { Asked, Batch, Candidate, IndexState, KnownSession, TextIndex } from "../../text-index.ts";
import { rows, write, type Value } from "../operation.ts";
import type { Database } from "./database.ts";
import { postgresFailure } from "./failures.ts";
import { nowMs } from "./schema.ts";
import { candidatesIn } from "./text-index-finding.ts";
import { makeTables } from "./text-index-tables.ts";
import { dropping, writing } from "./text-index-writing.ts";

/** Others wait so long for those who index in turns, and for one who was killed while he did. */
const [waitMs, keptMs] = [120_000, 15_000];

/** Undefined where the server cannot have one. Errors: `STORE_…`. */
export async function openTextIndex(database: Database, schema: string): Promise<TextIndex | undefined> {
  return (await makeTables(database, schema)) ? new ServerIndex(database, schema) : undefined;
}

class ServerIndex implements TextIndex {
  readonly place: string;
  readonly #database: Database;
  readonly #schema: string;
  readonly #turns = new Turns();

  constructor(database: Database, schema: string) {
    this.#database = database;
    this.#schema = schema;
    this.place = `the tables search_… in ${schema} at ${database.place}`;
  }

  async alone(work: () => Promise<void>, waiting?: () => Promise<void>): Promise<void> {
    await this.#turns.begin();
    await locked({ ...this.#lock(), ...(waiting && { waiting }) }, () => this.#turns.hold(work));
  }

  async state(): Promise<IndexState> {
    // One that came back under its id is not the one that is known.
    const text = `SELECT newest_ms AS "newestMs", looked_at_ms AS "lookedAtMs", difference,
      (SELECT count(*) FROM ${this.#schema}.search_sessions) - (SELECT count(*) FROM ${this.#schema}.search_sessions k
        JOIN ${this.#schema}.sessions s ON s.id = k.id WHERE k.journal_id IS NULL) AS sessions
      FROM ${this.#schema}.search_state`;
    const [state] = await this.#rows<IndexState>(text);
    return state ?? { newestMs: 0, lookedAtMs: 0, difference: 0, sessions: 0 };
  }

  async note({ newestMs, lookedAtMs, difference }: Partial<Omit<IndexState, "sessions">>): Promise<void> {
    const text = `UPDATE ${this.#schema}.search_state SET newest_ms = COALESCE(?::bigint, newest_ms),
      looked_at_ms = COALESCE(?::bigint, looked_at_ms), difference = COALESCE(?::bigint, difference)`;
    await this.#write(text, newestMs ?? null, lookedAtMs ?? null, difference ?? null);
  }

  async known(ids: readonly SessionId[]): Promise<ReadonlyMap<SessionId, KnownSession>> {
    const isOld = `journal_id IS NULL AND EXISTS (SELECT FROM ${this.#schema}.sessions s WHERE s.id = k.id)`;
    const sessions = await this.#sessions(`k.id = ANY(?::text[]) AND NOT (${isOld})`, ids);
    return new Map(sessions.map((session) => [session.id, session]));
  }

  open(): Promise<readonly KnownSession[]> {
    return this.#sessions("is_open");
  }

  forksOf(id: SessionId): Promise<readonly KnownSession[]> {
    return this.#sessions("parent_id = ?", id);
  }

  async all(): Promise<readonly SessionId[]> {
    const found = await this.#rows<{ id: SessionId }>(`SELECT id FROM ${this.#schema}.search_sessions`);
    return found.map(({ id }) => id);
  }

  write(batch: Batch): Promise<void> {
    return this.#told(this.#database.transact(() => writing(this.#schema, batch)));
  }

  /** What waits to be put into the index is put there. Only the owner of the tables may. */
  async tidy(): Promise<void> {
    try {
      await this.#rows(`SELECT gin_clean_pending_list('${this.#schema}.search_messages_by_word'::regclass)`);
      await this.#write(`ANALYZE ${this.#schema}.search_messages`);
    } catch (error) {
      if (codeOf((error as Error).cause) !== "42501") throw error;
    }
  }

  drop(ids: readonly SessionId[]): Promise<void> {
    return this.#told(this.#database.transact(() => dropping(this.#schema, ids)));
  }

  candidates(asked: Asked): AsyncGenerator<Candidate> {
    return candidatesIn(this.#database, this.#schema, asked);
  }

  /** The connections are the store's. */
  close(): void {}

  #lock(): MigrationLock {
    const state = `${this.#schema}.search_state`;
    const until = `locked_until_ms = ${nowMs} + ?::bigint`;
    return {
      of: `the words of the sessions in ${this.#schema}`,
      doing: "indexing",
      waitMs,
      keptMs,
      take: async (owner, forMs) =>
        (await this.#write(
          `UPDATE ${state} SET lock_owner = ?, ${until} WHERE lock_owner IS NULL OR locked_until_ms < ${nowMs}`,
          owner,
          forMs,
        )) === 1,
      prolong: (owner, forMs) =>
        forMs === 0
          ? this.#write(`UPDATE ${state} SET lock_owner = NULL WHERE lock_owner = ?`, owner)
          : this.#write(`UPDATE ${state} SET ${until} WHERE lock_owner = ?`, forMs, owner),
    };
  }

  async #sessions(where: string, ...values: Value[]): Promise<KnownSession[]> {
    const text = `SELECT ${knownColumns} FROM ${this.#schema}.search_sessions k WHERE ${where}`;
    return (await this.#rows<KnownRow>(text, ...values)).map(toKnown);
  }

  #rows<Row>(text: string, ...values: Value[]): Promise<readonly Row[]> {
    return this.#told(this.#database.read(() => rows<Row>({ name: "", text }, ...values)));
  }

  #write(text: string, ...values: Value[]): Promise<number> {
    return this.#told(this.#database.write(() => write({ name: "", text }, ...values)));
  }

  async #told<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw postgresFailure(error, this.#database.place);
    }
  }
}
