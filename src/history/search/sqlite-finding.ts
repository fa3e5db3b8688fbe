/**
 * Finds sessions with a match, the newest activity first. What few messages have is found at once and put in order; what
 * many have is looked for session by session, because the first few of them have it. So neither takes long.
 */
import type { SessionId } from "../../base/ids.ts";
import type { Database, Statement } from "../../sqlite/engine.ts";
import { spanLength } from "./sqlite-rows.ts";
import type { Asked, Candidate, SessionsAsked } from "./text-index.ts";

/** More matches than these are many. */
const few = 2000;
/** Fewer sessions than these are gone through one by one. */
const fewSessions = 100;
/** Sessions and matches that are fetched at a time. */
const [sessionsAtOnce, matchesAtOnce] = [256, 64];

interface Session {
  readonly no: number;
  readonly id: SessionId;
  readonly updated_at_ms: number;
}

interface Span {
  readonly no: number;
  readonly part: number;
}

export class Finding {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  *candidates(asked: Asked): Generator<Candidate> {
    const { where, values } = conditions(asked);
    const fits =
      where === ""
        ? Infinity
        : this.#count(`SELECT 1 FROM sessions ${where} LIMIT ${fewSessions + 1}`, values);
    if (fits === 0) return;
    const most = asked.hasPrefix ? Number.MAX_SAFE_INTEGER : few;
    if (fits > fewSessions || asked.hasPrefix) {
      const rows = this.#rows(asked.match, most + 1);
      if (rows.length <= most) {
        yield* this.#ordered(rows, asked);
        return;
      }
    }
    yield* this.#oneByOne(asked, where, values);
  }

  #rows(match: string, limit: number): number[] {
    return this.#statement("SELECT rowid FROM words WHERE words MATCH ? LIMIT ?", true).all(
      match,
      limit,
    ) as number[];
  }

  /** All matches are at hand. */
  *#ordered(rows: readonly number[], asked: Asked): Generator<Candidate> {
    const bySpan = new Map<number, number[]>();
    for (const row of rows) {
      const span = Math.floor(row / spanLength);
      const found = bySpan.get(span);
      if (found === undefined) bySpan.set(span, [row % spanLength]);
      else found.push(row % spanLength);
    }
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

  *#oneByOne(asked: Asked, where: string, values: readonly unknown[]): Generator<Candidate> {
    const and = where === "" ? "WHERE" : `${where} AND`;
    const sql = `SELECT no, id, updated_at_ms FROM sessions ${and} (updated_at_ms, id) < (?, ?)
      ORDER BY updated_at_ms DESC, id DESC LIMIT ${sessionsAtOnce}`;
    let behind: readonly unknown[] = [Number.MAX_SAFE_INTEGER, ""];
    for (;;) {
      const page = this.#statement(sql).all(...values, ...behind) as Session[];
      for (const session of page) {
        const seqs = this.#matchesOf(session, asked.match);
        const first = seqs.next();
        if (first.done !== true) yield { id: session.id, seqs: withFirst(first.value, seqs) };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < sessionsAtOnce) return;
      behind = [last.updated_at_ms, last.id];
    }
  }

  *#matchesOf({ no }: Session, match: string): Generator<number> {
    const spans = this.#statement("SELECT no, part FROM spans WHERE session_no = ? ORDER BY part DESC").all(
      no,
    ) as Span[];
    const sql = `SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?
      ORDER BY rowid DESC LIMIT ${matchesAtOnce}`;
    for (const span of spans) {
      const first = span.no * spanLength;
      for (let last = first + spanLength - 1; last >= first;) {
        const rows = this.#statement(sql, true).all(match, first, last) as number[];
        for (const row of rows) yield span.part * spanLength + (row - first);
        last = rows.length < matchesAtOnce ? -1 : (rows.at(-1) ?? 0) - 1;
      }
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

function* withFirst(first: number, others: Iterable<number>): Generator<number> {
  yield first;
  yield* others;
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
