/**
 * The words of an index, in shards of some ten thousand messages: whatever a word is in half of them has, only the
 * shards are read in which the sessions are that come first. Without the places of words a shard has half the size, and
 * is made in three quarters of the time.
 */
import type { Database, Statement } from "../../sqlite/engine.ts";

/** A shard that has so many gets no new session; those that it has may grow. */
const fullShard = 25_000;
const nameOf = (shard: number) => `words_${shard}`;

export class Shards {
  readonly #db: Database;
  readonly #prepared = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  all(): readonly number[] {
    return this.#statement("SELECT no FROM shards ORDER BY no DESC").all() as number[];
  }

  /** The one that takes what is new; made when there is none, or when the last one is full. */
  newest(): number {
    const [last] = this.#statement(
      "SELECT no FROM shards WHERE no = (SELECT max(no) FROM shards) AND messages < ?",
    ).all(fullShard) as number[];
    if (last !== undefined) return last;
    const { lastInsertRowid } = this.#statement("INSERT INTO shards (messages) VALUES (0)").run();
    const shard = Number(lastInsertRowid);
    const name = nameOf(shard);
    this.#db.exec(
      `CREATE VIRTUAL TABLE ${name} USING fts5(text, content='', columnsize=0, detail=none, tokenize='ascii');
       INSERT INTO ${name} (${name}, rank) VALUES ('hashsize', 16777216);`,
    );
    return shard;
  }

  add(shard: number, row: number, text: string): void {
    this.#statement(`INSERT INTO ${nameOf(shard)} (rowid, text) VALUES (?, ?)`).run(row, text);
  }

  count(shard: number, messages: number): void {
    this.#statement("UPDATE shards SET messages = messages + ? WHERE no = ?").run(messages, shard);
  }

  /** Numbers of messages that match, at most so many. */
  matches(shard: number, match: string, limit: number): readonly number[] {
    const name = nameOf(shard);
    return this.#statement(`SELECT rowid FROM ${name} WHERE ${name} MATCH ? LIMIT ?`).all(
      match,
      limit,
    ) as number[];
  }

  /** Joins some of what was written apart; false when there is nothing more to join. */
  tidy(shard: number, pages: number): boolean {
    const name = nameOf(shard);
    const before = this.#changes();
    this.#statement(`INSERT INTO ${name} (${name}, rank) VALUES ('merge', ?)`).run(pages);
    return this.#changes() - before >= 2;
  }

  #changes(): number {
    return this.#statement("SELECT total_changes()").get() as number;
  }

  #statement(sql: string): Statement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    if (sql.startsWith("SELECT")) statement.pluck();
    this.#prepared.set(sql, statement);
    return statement;
  }
}
