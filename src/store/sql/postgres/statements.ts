/** Every statement of the data path, written once per store for the schema that it lives in. */
import type { Statement } from "./database.ts";
import { nowMs } from "./schema.ts";

export type Statements = ReturnType<typeof statementsFor>;

/** What a record is made of. */
export const recordColumns = `s.facts, h.id, h.journal_id, h.updated_at_ms, h.head_seq, h.sealed_seq, h.last_write,
  h.fence, h.holder, h.since_ms, h.expires_at_ms, h.turn_running`;

/** `schema` is a plain name, checked where it came in. */
export function statementsFor(schema: string) {
  const texts = { ...records(schema), ...writes(schema), ...reads(schema), ...lineage(schema) };
  const entries = Object.entries(texts).map(([name, text]): [string, Statement] => [name, { name, text }]);
  return Object.freeze(Object.fromEntries(entries)) as { readonly [K in keyof typeof texts]: Statement };
}

function records(schema: string) {
  const joined = `FROM ${schema}.heads h JOIN ${schema}.sessions s ON s.id = h.id WHERE h.id = $1`;
  return {
    get: `SELECT ${recordColumns} ${joined}`,
    lock: `SELECT ${recordColumns}, ${nowMs} AS now_ms ${joined} FOR UPDATE`,
    create: `WITH made AS (
        INSERT INTO ${schema}.sessions (id, facts) VALUES ($1, $2) RETURNING id, journal_id
      ), head AS (
        INSERT INTO ${schema}.heads (id, journal_id, updated_at_ms, head_seq, sealed_seq, last_write)
        SELECT id, journal_id, $3::bigint, $4::bigint, $4::bigint, $5::text FROM made
      ), term AS (
        INSERT INTO ${schema}.terms (term, id) SELECT given, id FROM made, unnest($6::text[]) AS given
      ) SELECT journal_id FROM made`,
    setFacts: `UPDATE ${schema}.sessions SET facts = $2 WHERE id = $1`,
    touch: `UPDATE ${schema}.heads SET updated_at_ms = COALESCE($2::bigint, updated_at_ms) WHERE id = $1`,
    addTerms: `INSERT INTO ${schema}.terms (term, id) SELECT given, $1 FROM unnest($2::text[]) AS given
      ON CONFLICT (term, id) DO NOTHING`,
    dropTerms: `DELETE FROM ${schema}.terms WHERE id = $1 AND term = ANY($2::text[])`,
  };
}

/** Every write under a lease extends it, by the server's clock. */
const extended = `turn_running = $3::boolean, expires_at_ms = ${nowMs} + $4::bigint`;
const held = "id = $1 AND fence = $2 AND holder IS NOT NULL";

function writes(schema: string) {
  const given = "AS given (first_seq, entry_count, data)";
  // In one statement, so that an append is one round trip and its own transaction.
  const appended = `WITH head AS (
        UPDATE ${schema}.heads SET ${extended}, head_seq = head_seq + $6::bigint, last_write = $7,
          updated_at_ms = CASE WHEN $9::boolean THEN greatest(updated_at_ms, $8::bigint)
            ELSE COALESCE($8::bigint, updated_at_ms) END,
          sealed_seq = CASE WHEN $9::boolean THEN head_seq + $6::bigint ELSE sealed_seq END
        WHERE ${held} AND head_seq = $5::bigint RETURNING journal_id
      ) INSERT INTO ${schema}.blocks (journal_id, first_seq, entry_count, data)`;
  return {
    append: `${appended}
        SELECT head.journal_id, given.first_seq, given.entry_count, given.data
        FROM head, unnest($10::bigint[], $11::bigint[], $12::text[]) ${given}`,
    // As nearly all are. In an array every quote of its JSON would be escaped, and unescaped by the server.
    appendBlock: `${appended} SELECT head.journal_id, $10::bigint, $11::bigint, $12::text FROM head`,
    seal: `UPDATE ${schema}.heads SET ${extended}, head_seq = $5, sealed_seq = $5, last_write = $6,
        updated_at_ms = greatest(updated_at_ms, $7::bigint)
      WHERE ${held} RETURNING journal_id`,
    before: `SELECT data FROM ${schema}.blocks WHERE journal_id = $1 AND first_seq < $2
      ORDER BY first_seq DESC LIMIT 1`,
    cut: `DELETE FROM ${schema}.blocks WHERE journal_id = $1 AND first_seq >= $2`,
    insert: `INSERT INTO ${schema}.blocks (journal_id, first_seq, entry_count, data)
      SELECT $1::bigint, given.first_seq, given.entry_count, given.data
      FROM unnest($2::bigint[], $3::bigint[], $4::text[]) ${given}`,
    extend: `UPDATE ${schema}.heads SET ${extended} WHERE ${held} RETURNING expires_at_ms, since_ms`,
    renew: `UPDATE ${schema}.heads SET ${extended}, holder = $5 WHERE ${held}
      RETURNING expires_at_ms, since_ms`,
    acquire: `UPDATE ${schema}.heads SET fence = $2, holder = $3, since_ms = $4, expires_at_ms = $5,
      turn_running = false, last_write = $6 WHERE id = $1`,
    release: `UPDATE ${schema}.heads SET holder = NULL, since_ms = NULL, expires_at_ms = NULL,
      turn_running = NULL WHERE ${held}`,
  };
}

function reads(schema: string) {
  return {
    /**
     * Blocks from the one that holds entry $3 on, bounded in entries by the range and in bytes by the running
     * sum. Head and seal are of the same instant as the blocks; a row without block tells them alone.
     */
    page: `SELECT h.head_seq, h.sealed_seq, page.data
      FROM ${schema}.heads h LEFT JOIN (
        SELECT first_seq, data,
          sum(octet_length(data)) OVER (ORDER BY first_seq ROWS UNBOUNDED PRECEDING) - octet_length(data) AS before
        FROM ${schema}.blocks WHERE journal_id = $2 AND first_seq BETWEEN
          (SELECT max(first_seq) FROM ${schema}.blocks WHERE journal_id = $2 AND first_seq <= $3) AND $4
      ) page ON page.before < $5 WHERE h.id = $1 ORDER BY page.first_seq`,
    totals: `SELECT
        (SELECT count(*) FROM ${schema}.sessions) AS sessions,
        (SELECT COALESCE(sum(entry_count), 0)::bigint FROM ${schema}.blocks) AS entries`,
  };
}

function lineage(schema: string) {
  return {
    /** The journals that a session's entries are in, its own first. */
    chain: `WITH RECURSIVE chain (journal_id, base_seq, base_journal_id, depth) AS (
        SELECT h.journal_id, l.base_seq, l.base_journal_id, 0
        FROM ${schema}.heads h LEFT JOIN ${schema}.lineage l ON l.journal_id = h.journal_id WHERE h.id = $1
        UNION ALL
        SELECT c.base_journal_id, l.base_seq, l.base_journal_id, c.depth + 1
        FROM chain c LEFT JOIN ${schema}.lineage l ON l.journal_id = c.base_journal_id
        WHERE c.base_journal_id IS NOT NULL
      ) SELECT c.journal_id, COALESCE(c.base_seq, 0) AS base_seq, h.head_seq, h.sealed_seq
        FROM chain c CROSS JOIN ${schema}.heads h WHERE h.id = $1 ORDER BY c.depth`,
    addFork: `INSERT INTO ${schema}.lineage (journal_id, base_journal_id, base_seq) VALUES ($1, $2, $3)`,
    dropSession: `DELETE FROM ${schema}.sessions WHERE id = $1`,
    dropHead: `DELETE FROM ${schema}.heads WHERE id = $1 RETURNING journal_id`,
    dropAllTerms: `DELETE FROM ${schema}.terms WHERE id = $1`,
    forksOf: `SELECT base_seq FROM ${schema}.lineage WHERE base_journal_id = $1 ORDER BY journal_id FOR UPDATE`,
    dropFork: `DELETE FROM ${schema}.lineage WHERE journal_id = $1 RETURNING base_journal_id`,
    ownerOf: `SELECT id FROM ${schema}.sessions WHERE journal_id = $1`,
  };
}
