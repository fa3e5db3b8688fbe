/** Lists and counts: the one statement that is put together from what is asked. */
import type { SessionId } from "../../../base/ids.ts";
import { decodeCursor, pageSize, toPage } from "../../query.ts";
import type { Page, SessionFilter, SessionQuery, SessionRecord } from "../../contract.ts";
import type { Database } from "./database.ts";
import { recordOf, type RecordRow } from "./rows.ts";
import { recordColumns } from "./statements.ts";
import { termsOfFilter } from "../../server/terms.ts";

/** Errors: `INVALID_CURSOR`. */
export async function listSessions(
  database: Database,
  schema: string,
  query: SessionQuery,
): Promise<Page<SessionRecord>> {
  const limit = pageSize(query.limit);
  const where = new Conditions(schema, query);
  if (query.cursor !== undefined) where.behind(decodeCursor(query.cursor));
  const text = `SELECT ${recordColumns} FROM ${schema}.heads h JOIN ${schema}.sessions s ON s.id = h.id
    ${where.text} ORDER BY h.updated_at_ms DESC, h.id DESC LIMIT ${limit + 1}`;
  const rows = await database.statements((session) =>
    session.rows<RecordRow>({ name: "", text }, where.values),
  );
  return toPage(rows.map(recordOf), limit);
}

export async function countSessions(database: Database, schema: string, filter: SessionFilter) {
  const where = new Conditions(schema, filter);
  const text = `SELECT count(*) AS found FROM ${schema}.heads h ${where.text}`;
  const [row] = await database.statements((session) =>
    session.rows<{ found: number }>({ name: "", text }, where.values),
  );
  return row?.found ?? 0;
}

/** The WHERE of a list, with its parameters. */
class Conditions {
  readonly values: unknown[] = [];
  readonly #texts: string[] = [];

  constructor(schema: string, filter: SessionFilter) {
    const { updatedBeforeMs, updatedSinceMs } = filter;
    if (updatedBeforeMs !== undefined) this.#texts.push(`h.updated_at_ms < ${this.#value(updatedBeforeMs)}`);
    if (updatedSinceMs !== undefined) this.#texts.push(`h.updated_at_ms >= ${this.#value(updatedSinceMs)}`);
    for (const term of termsOfFilter(filter)) {
      const found = `SELECT 1 FROM ${schema}.terms t WHERE t.term = ${this.#value(term)} AND t.id = h.id`;
      this.#texts.push(`EXISTS (${found})`);
    }
  }

  behind(place: { readonly updatedAtMs: number; readonly id: SessionId }): void {
    const [time, id] = [this.#value(place.updatedAtMs), this.#value(place.id)];
    this.#texts.push(`(h.updated_at_ms, h.id) < (${time}::bigint, ${id}::text)`);
  }

  get text(): string {
    return this.#texts.length === 0 ? "" : `WHERE ${this.#texts.join(" AND ")}`;
  }

  #value(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}
