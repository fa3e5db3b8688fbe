/**
 * Finds sessions with a match, the newest activity first. What few messages have is found at once and put in order; of
 * what many have only the shards are read in which the sessions are that come first. So neither takes long.
 */
import type { SessionId } from "../../base/ids.ts";
import type { Database, Statement } from "../../sqlite/engine.ts";
import { fts5Text } from "./fts5-text.ts";
import { indexError } from "./index-file.ts";
import type { Shards } from "./shards.ts";
import { spanLength } from "./sqlite-rows.ts";
import type { Asked, Candidate, SessionsAsked } from "../../store/text-index.ts";

/** More matches than these are many. */
const few = 2000;
/** Fewer sessions than these are gone through one by one. */
const fewSessions = 100;
/** Sessions that are fetched at a time. */
const sessionsAtOnce = 64;

interface Session {
  readonly no: number;
  readonly id: SessionId;
  readonly updated_at_ms: number;
}

interface Span {
  readonly no: number;
  readonly part: number;
  readonly shard: number;
}

/** A session and its matches, the newest first. */
interface Found {
  readonly id: SessionId;
  readonly seqs: Iterable<number>;
}

/** Places of matches within a stretch, by its number. */
type BySpan = Map<number, number[]>;

export class Finding {
  readonly #db: Database;
  readonly #place: string;
  readonly #shards: Shards;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database, place: string, shards: Shards) {
    this.#db = db;
    this.#place = place;
    this.#shards = shards;
  }

  /** Errors, also of what is asked for later: `STORE_…`, with `index`. */
  *candidates(asked: Asked): Generator<Candidate> {
    for (const { id, seqs } of this.#told(this.#found(asked))) yield { id, seqs: this.#told(seqs) };
  }

  *#found(asked: Asked): Generator<Found> {
    const { where, values } = conditions(asked);
    const fits =
      where === ""
        ? Infinity
        : this.#count(`SELECT 1 FROM sessions ${where} LIMIT ${fewSessions + 1}`, values);
    if (fits === 0) return;
    if (fits > fewSessions) {
      const rows = this.#few(fts5Text(asked));
      if (rows !== undefined) {
        yield* this.#ordered(bySpanOf(rows), asked);
        return;
      }
    }
    yield* this.#oneByOne(asked, where, values);
  }

  /** All matches, unless they are many. */
  #few(match: string): readonly number[] | undefined {
    const found: number[] = [];
    for (const shard of this.#shards.all()) {
      for (const row of this.#shards.matches(shard, match, few + 1 - found.length)) found.push(row);
      if (found.length > few) return undefined;
    }
    return found;
  }

  /** All matches are at hand. */
  *#ordered(bySpan: BySpan, asked: Asked): Generator<Found> {
    const { where, values } = conditions(asked);
    const and = where === "" ? "WHERE" : `${where} AND`;
    const sql = `SELECT spans.no AS span, part, id, updated_at_ms FROM spans JOIN sessions ON sessions.no = session_no
      ${and} spans.no IN (SELECT value FROM json_each(?))`;
    const found = this.#statement(sql).all(...values, JSON.stringify([...bySpan.keys()])) as {
      readonly span: number;
      readonly part: number;
      readonly id: SessionId;
      readonly updated_at_ms: number;
    }[];
    found.sort(
      (a, b) => b.updated_at_ms - a.updated_at_ms || (a.id < b.id ? 1 : a.id > b.id ? -1 : b.part - a.part),
    );
    for (let at = 0; at < found.length;) {
      const id = found[at]?.id as SessionId;
      const seqs: number[] = [];
      for (; found[at]?.id === id; at += 1) {
        const { span = 0, part = 0 } = found[at] ?? {};
        for (const offset of (bySpan.get(span) ?? []).sort((a, b) => b - a))
          seqs.push(part * spanLength + offset);
      }
      yield { id, seqs };
    }
  }

  *#oneByOne(asked: Asked, where: string, values: readonly unknown[]): Generator<Found> {
    const and = where === "" ? "WHERE" : `${where} AND`;
    const sql = `SELECT no, id, updated_at_ms FROM sessions ${and} (updated_at_ms, id) < (?, ?)
      ORDER BY updated_at_ms DESC, id DESC LIMIT ${sessionsAtOnce}`;
    let behind: readonly unknown[] = [Number.MAX_SAFE_INTEGER, ""];
    const read = new Map<number, BySpan>();
    const match = fts5Text(asked);
    for (;;) {
      const page = this.#statement(sql).all(...values, ...behind) as Session[];
      for (const session of page) {
        const seqs = this.#matchesOf(session, match, read);
        const first = seqs.next();
        if (first.done !== true) yield { id: session.id, seqs: begun(first.value, seqs) };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < sessionsAtOnce) return;
      behind = [last.updated_at_ms, last.id];
    }
  }

  /**
   * The newest first; the shards of a huge session are read as they are asked for.
   * @param read the matches of shards, as far as they were read for this search
   */
  *#matchesOf({ no }: Session, match: string, read: Map<number, BySpan>): Generator<number, void> {
    const sql = "SELECT no, part, shard FROM spans WHERE session_no = ? ORDER BY part DESC";
    for (const { no: span, part, shard } of this.#statement(sql).all(no) as Span[]) {
      const matches = read.get(shard) ?? bySpanOf(this.#shards.matches(shard, match, -1));
      read.set(shard, matches);
      for (const offset of newestFirst(matches.get(span))) yield part * spanLength + offset;
    }
  }

  *#told<T>(found: Iterable<T>): Generator<T> {
    try {
      yield* found;
    } catch (error) {
      throw indexError(error, this.#place);
    }
  }

  #count(sql: string, values: readonly unknown[]): number {
    return this.#statement(`SELECT count(*) FROM (${sql})`, true).get(...values) as number;
  }

  #statement(sql: string, isOneColumn = false): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    if (isOneColumn) statement.pluck();
    this.#statements.set(sql, statement);
    return statement;
  }
}

function bySpanOf(rows: readonly number[]): BySpan {
  const bySpan: BySpan = new Map();
  for (const row of rows) {
    const span = Math.floor(row / spanLength);
    const found = bySpan.get(span);
    if (found === undefined) bySpan.set(span, [row % spanLength]);
    else found.push(row % spanLength);
  }
  return bySpan;
}

function* begun(first: number, others: Iterable<number>): Generator<number> {
  yield first;
  yield* others;
}

function newestFirst(offsets: number[] = []): number[] {
  return offsets.sort((a, b) => b - a);
}

function conditions({ id, folders, agent, activeSinceMs }: SessionsAsked): {
  readonly where: string;
  readonly values: readonly unknown[];
} {
  const texts: string[] = [];
  const values: unknown[] = [];
  const add = (text: string, ...given: unknown[]) => {
    texts.push(text);
    values.push(...given);
  };
  if (id !== undefined) add("id = ?", id);
  if (folders !== undefined) {
    const names = JSON.stringify(folders);
    const isNamed = "IN (SELECT value FROM json_each(?))";
    add(`(cwd ${isNamed} OR folder ${isNamed})`, names, names);
  }
  if (agent !== undefined) add("instr(agent, ?) > 0", agent.toLowerCase());
  if (activeSinceMs !== undefined) add("updated_at_ms >= ?", activeSinceMs);
  return { where: texts.length === 0 ? "" : `WHERE ${texts.join(" AND ")}`, values };
}
