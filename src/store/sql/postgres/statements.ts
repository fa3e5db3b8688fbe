/** The tables' words, and the statements that are PostgreSQL's own. */
import type { Statement } from "../operation.ts";
import { extended, held, named, statementsFor, type Words } from "../statements.ts";
import type { PostgresStatement } from "./database.ts";
import { nowMs } from "./schema.ts";

export function wordsOf(schema: string): Words {
  return {
    heads: `${schema}.heads`,
    facts: `${schema}.sessions`,
    journals: `${schema}.lineage`,
    no: "journal_id",
    parentNo: "base_journal_id",
    terms: `${schema}.terms`,
    key: "id",
    nowMs,
    greatest: "greatest",
    forUpdate: "FOR UPDATE",
    marked: (value) => `, last_write = ${value}`,
    mark: ", h.last_write",
  };
}

export type Statements = ReturnType<typeof postgresStatements>;

/** `schema` is a plain name, checked where it came in. */
export function postgresStatements(schema: string, words = wordsOf(schema)) {
  const shared = statementsFor(words, {
    release: `UPDATE ${schema}.heads SET holder = NULL, since_ms = NULL, expires_at_ms = NULL,
      turn_running = NULL WHERE ${held}`,
    // Locked, so that of two last forks that go at once one sees the other gone.
    forks: `SELECT base_seq FROM ${schema}.lineage WHERE base_journal_id = $1 ORDER BY journal_id FOR UPDATE`,
    totals: `SELECT (SELECT count(*) FROM ${schema}.sessions) AS sessions,
      (SELECT COALESCE(sum(entry_count), 0)::bigint FROM ${schema}.blocks) AS entries`,
  });
  const own = named({
    // One statement, so one round trip.
    create: `WITH made AS (
        INSERT INTO ${schema}.sessions (id, facts) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING
        RETURNING id, journal_id
      ), head AS (
        INSERT INTO ${schema}.heads (id, journal_id, updated_at_ms, head_seq, sealed_seq, last_write)
        SELECT id, journal_id, $3::bigint, $4::bigint, $4::bigint, $5::text FROM made
      ), term AS (
        INSERT INTO ${schema}.terms (term, id) SELECT given, id FROM made, unnest($6::text[]) AS given
      ) SELECT journal_id AS no FROM made`,
    addTerms: `INSERT INTO ${schema}.terms (term, id) SELECT given, $1 FROM unnest($2::text[]) AS given
      ON CONFLICT (term, id) DO NOTHING`,
    dropTerms: `DELETE FROM ${schema}.terms WHERE id = $1 AND term = ANY($2::text[])`,
    addFork: `INSERT INTO ${schema}.lineage (journal_id, base_journal_id, base_seq) VALUES ($1, $2, $3)`,
    drop: `WITH head AS (DELETE FROM ${schema}.heads WHERE id = $1),
        term AS (DELETE FROM ${schema}.terms WHERE id = $1)
      DELETE FROM ${schema}.sessions WHERE id = $1`,
    /** The block that begins before an entry and holds it. */
    before: `SELECT data FROM (
        SELECT first_seq, entry_count, data FROM ${schema}.blocks WHERE journal_id = $1 AND first_seq < $2
        ORDER BY first_seq DESC LIMIT 1
      ) b WHERE first_seq + entry_count > $2`,
    cut: `DELETE FROM ${schema}.blocks WHERE journal_id = $1 AND first_seq >= $2`,
    cutOut: `DELETE FROM ${schema}.blocks WHERE journal_id = $1 AND first_seq BETWEEN $2 AND $3`,
  });
  return Object.freeze({ ...shared, ...own, ...blockStatements(schema, words) });
}

function blockStatements(schema: string, words: Words) {
  const inserted = `INSERT INTO ${schema}.blocks (journal_id, first_seq, entry_count, data)`;
  const advanced = `UPDATE ${schema}.heads SET ${extended(words)}, head_seq = head_seq + $6::bigint, last_write = $7,
      updated_at_ms = CASE WHEN $9::boolean THEN greatest(updated_at_ms, $8::bigint)
        ELSE COALESCE($8::bigint, updated_at_ms) END,
      sealed_seq = CASE WHEN $9::boolean THEN head_seq + $6::bigint ELSE sealed_seq END
    WHERE ${held} AND head_seq = $5::bigint`;
  return {
    /**
     * Blocks from the one that holds entry $3 on, bounded in entries by the range and in bytes by the running
     * sum. Head and seal are of the same instant as the blocks; a row without block tells them alone.
     */
    page: {
      name: "page",
      asArrays: true,
      text: `SELECT h.head_seq, h.sealed_seq, page.data
      FROM ${schema}.heads h LEFT JOIN (
        SELECT first_seq, data,
          sum(octet_length(data)) OVER (ORDER BY first_seq ROWS UNBOUNDED PRECEDING) - octet_length(data) AS before
        FROM ${schema}.blocks WHERE journal_id = $2 AND first_seq BETWEEN
          (SELECT max(first_seq) FROM ${schema}.blocks WHERE journal_id = $2 AND first_seq <= $3) AND $4
      ) page ON page.before < $5 WHERE h.id = $1 ORDER BY page.first_seq`,
    } satisfies PostgresStatement,
    /** In one statement, so that an append is one round trip and its own transaction. The last values are each block's columns. */
    append: byCount("append", (count) =>
      count === 0
        ? advanced
        : `WITH head AS (${advanced} RETURNING journal_id)
          ${inserted} SELECT head.journal_id, given.* FROM head, ${blocksFrom(10, count)}`,
    ),
    insert: byCount(
      "insert",
      (count) => `${inserted} SELECT $1::bigint, given.* FROM ${blocksFrom(2, count)}`,
    ),
  };
}

/** Each text a value of its own: in an array every quote of its JSON would be escaped, and unescaped by the server. */
function blocksFrom(at: number, count: number): string {
  const rows = Array.from({ length: count }, (_, i) => {
    const [first, entries, data] = [at + 3 * i, at + 3 * i + 1, at + 3 * i + 2];
    return `($${first}::bigint, $${entries}::bigint, $${data}::text)`;
  });
  return `(VALUES ${rows.join(", ")}) AS given (first_seq, entry_count, data)`;
}

const keptCounts = 8;

/** The statement for so many blocks; those for a few, as nearly all are, are kept prepared. */
function byCount(name: string, text: (count: number) => string): (count: number) => Statement {
  const few = Array.from({ length: keptCounts + 1 }, (_, count) => ({
    name: `${name}${count}`,
    text: text(count),
  }));
  return (count) => few[count] ?? { name: "", text: text(count) };
}
