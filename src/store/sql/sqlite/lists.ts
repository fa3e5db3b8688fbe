/** Lists and counts: keyset pages over the order of activity, and searches by terms. */
import { decodeCursor, pageSize, toPage, type ListPlace } from "../../query.ts";
import type { Database, Statement } from "./engine.ts";
import type { Page, SessionFilter, SessionQuery, SessionRecord } from "../../contract.ts";
import { recordIn } from "./records.ts";
import type { RecordRow } from "./schema.ts";
import { termsOfFilter } from "./terms.ts";

/** Up to so many sessions with a term are fetched and sorted; with more, the order of activity is walked. */
const fewSessions = 1000;
const keptStatements = 64;

type Value = string | number;

const order = "ORDER BY s.updated_at_ms DESC, s.id DESC";

/** The rest of a SELECT from its FROM on, or a part of its WHERE, and what is bound in it, in order. */
interface Condition {
  readonly sql: string;
  readonly values: readonly Value[];
}

export class Lists {
  readonly #db: Database;
  readonly #countTerm: Statement<[string], number>;
  readonly #statements = new Map<string, Statement<Value[]>>();

  constructor(db: Database) {
    this.#db = db;
    this.#countTerm = db
      .prepare<[string], number>(
        `SELECT count(*) FROM (SELECT 1 FROM terms WHERE term = ? LIMIT ${fewSessions + 1})`,
      )
      .pluck();
  }

  list(query: SessionQuery): Page<SessionRecord> {
    const limit = pageSize(query.limit);
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    const conditions = times(query, after);
    const { sql, values } = this.#search(termsOfFilter(query), conditions);
    // What is wanted is found and sorted by the narrow rows; records are looked up for the page alone.
    const rows = this.#prepared(
      `SELECT s.*, r.facts FROM (SELECT s.no ${sql} ${order} LIMIT ?) found
       CROSS JOIN sessions s ON s.no = found.no CROSS JOIN records r ON r.no = found.no ${order}`,
    ).all(...values, limit + 1) as RecordRow[];
    return toPage(rows.map(recordIn), limit);
  }

  count(filter: SessionFilter): number {
    const [terms, conditions] = [termsOfFilter(filter), times(filter)];
    const { sql, values } = this.#matching(terms, conditions);
    return (this.#prepared(`SELECT count(*) AS found ${sql}`).get(...values) as { found: number }).found;
  }

  #matching(terms: readonly string[], conditions: readonly Condition[]): Condition {
    const [rarest] = this.#rarest(terms);
    if (rarest === undefined) return clause("FROM sessions s", conditions);
    if (conditions.length > 0) return withTerm(rarest, terms, conditions);
    // Nothing is asked of the sessions themselves: their terms are enough.
    const others = terms.filter((each) => each !== rarest).map(hasTerm);
    return clause("FROM terms s", [{ sql: "s.term = ?", values: [rarest] }, ...others]);
  }

  /** How many sessions there are, and how many entries of their own they have. */
  totals(): [sessions: number, entries: number] {
    const sql = "SELECT count(*) AS sessions, total(head_seq - base_seq) AS entries FROM sessions";
    const { sessions, entries } = this.#prepared(sql).get() as { sessions: number; entries: number };
    return [sessions, entries];
  }

  /** The cheaper way to sessions in order: all with the rarest term, sorted, or a walk by activity. */
  #search(terms: readonly string[], conditions: readonly Condition[]): Condition {
    const [rarest, found] = this.#rarest(terms);
    if (rarest !== undefined && found <= fewSessions) return withTerm(rarest, terms, conditions);
    const walk = "FROM sessions s INDEXED BY sessions_by_activity";
    return clause(walk, [...terms.map(hasTerm), ...conditions]);
  }

  #rarest(terms: readonly string[]): [string | undefined, number] {
    let best: [string | undefined, number] = [undefined, Infinity];
    for (const term of terms) {
      const found = this.#countTerm.get(term) ?? 0;
      if (found < best[1]) best = [term, found];
    }
    return best;
  }

  #prepared(sql: string): Statement<Value[]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= keptStatements) this.#statements.clear();
    const prepared = this.#db.prepare<Value[]>(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/** Of two upper ends only the nearer one: SQLite would begin at the other, and go through all in between. */
function times({ updatedBeforeMs, updatedSinceMs }: SessionFilter, after?: ListPlace): Condition[] {
  const conditions: Condition[] = [];
  if (after !== undefined && after.updatedAtMs < (updatedBeforeMs ?? Infinity))
    conditions.push({ sql: "(s.updated_at_ms, s.id) < (?, ?)", values: [after.updatedAtMs, after.id] });
  else if (updatedBeforeMs !== undefined)
    conditions.push({ sql: "s.updated_at_ms < ?", values: [updatedBeforeMs] });
  if (updatedSinceMs !== undefined)
    conditions.push({ sql: "s.updated_at_ms >= ?", values: [updatedSinceMs] });
  return conditions;
}

const hasTerm = (term: string): Condition => ({
  sql: "EXISTS (SELECT 1 FROM terms o WHERE o.term = ? AND o.no = s.no)",
  values: [term],
});

/** All sessions with `term`, which also have the others. CROSS JOIN holds SQLite to this order of the tables. */
function withTerm(term: string, terms: readonly string[], conditions: readonly Condition[]): Condition {
  const others = terms.filter((each) => each !== term).map(hasTerm);
  const isTerm = { sql: "t.term = ?", values: [term] };
  return clause("FROM terms t CROSS JOIN sessions s ON s.no = t.no", [isTerm, ...others, ...conditions]);
}

function clause(from: string, where: readonly Condition[]): Condition {
  const sql = where.length === 0 ? from : `${from} WHERE ${where.map((each) => each.sql).join(" AND ")}`;
  return { sql, values: where.flatMap(({ values }) => values) };
}
