/** What plain `pg` takes for the rows that our store reads and writes: one statement each, nothing checked. */
import pg from "pg";
import { blockOf, termOf } from "./block.mjs";

const recordColumns = `s.facts, h.id, h.journal_id, h.updated_at_ms, h.head_seq, h.sealed_seq, h.last_write,
  h.fence, h.holder, h.since_ms, h.expires_at_ms, h.turn_running`;

/** `of` is our store in `schema`: what it keeps is read here too. Appends go to tables made like its own. */
export async function postgresFloor(of, url, schema) {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  const records = `${schema}.heads h JOIN ${schema}.sessions s ON s.id = h.id`;
  const run = (name, text, values) => pool.query({ name, text, values });
  for (const name of ["heads", "blocks"]) {
    await pool.query(`CREATE TABLE ${schema}.floor_${name} (LIKE ${schema}.${name} INCLUDING ALL)`);
  }
  let journals = 0;
  const session = async (metadata) => {
    const made = await of.session(metadata);
    const floorJournal = (journals += 1);
    const text = `INSERT INTO ${schema}.floor_heads SELECT * FROM ${schema}.heads WHERE id = $1`;
    await pool.query(text, [made.id]);
    const { rows } = await pool.query(`SELECT journal_id FROM ${schema}.heads WHERE id = $1`, [made.id]);
    return { ...made, journal: rows[0].journal_id, floorJournal, floorHead: 0 };
  };
  const append = async (session, entries) => {
    const { id, floorJournal, floorHead } = session;
    session.floorHead += entries.length;
    const { atMs } = entries[entries.length - 1];
    const text = `WITH head AS (UPDATE ${schema}.floor_heads SET head_seq = $2, updated_at_ms = $3 WHERE id = $1)
      INSERT INTO ${schema}.floor_blocks (journal_id, first_seq, entry_count, data) VALUES ($4, $5, $6, $7)`;
    const block = blockOf(floorHead + 1, entries);
    const values = [id, session.floorHead, atMs, floorJournal, floorHead + 1, entries.length, block];
    await run("append", text, values);
    return session.floorHead;
  };
  const read = async ({ journal }) => {
    let found = 0;
    for (let from = 1; ; from += 1000) {
      const text = `SELECT data, entry_count FROM ${schema}.blocks
        WHERE journal_id = $1 AND first_seq BETWEEN $2 AND $3 ORDER BY first_seq`;
      const { rows } = await run("read", text, [journal, from, from + 999]);
      if (rows.length === 0) return found;
      for (const row of rows) found += Number(row.entry_count);
    }
  };
  const page = async (cursor, limit = 50) => {
    const order = `ORDER BY h.updated_at_ms DESC, h.id DESC LIMIT ${limit + 1}`;
    const where = cursor === undefined ? "" : "WHERE (h.updated_at_ms, h.id) < ($1, $2)";
    const values = cursor === undefined ? [] : [cursor.updated_at_ms, cursor.id];
    const text = `SELECT ${recordColumns} FROM ${records} ${where} ${order}`;
    const { rows } = await pool.query({ text, values });
    return { found: Math.min(rows.length, limit), cursor: rows[limit - 1] };
  };
  const find = async ({ project }) => {
    const text = `SELECT ${recordColumns} FROM ${records} WHERE EXISTS (SELECT 1 FROM ${schema}.terms t
      WHERE t.term = $1 AND t.id = h.id) ORDER BY h.updated_at_ms DESC, h.id DESC LIMIT 51`;
    return (await pool.query({ text, values: [termOf("project", project)] })).rows.length;
  };
  return {
    name: "pg",
    session,
    fill: of.append,
    get: ({ id }) => run("get", `SELECT ${recordColumns} FROM ${records} WHERE h.id = $1`, [id]),
    append,
    read,
    page,
    find,
    // As the server does by itself within a minute. Without statistics it walks all sessions for a rare value.
    listsFilled: () => pool.query(`ANALYZE ${schema}.sessions, ${schema}.heads, ${schema}.terms`),
    close: () => pool.end(),
  };
}
