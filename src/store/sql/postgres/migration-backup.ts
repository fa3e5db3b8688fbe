/** Before a migration: the tables as they are, copied under names that say of which version they were. */
import type { PostgresStatement, Send } from "./database.ts";

/** A big table is copied for long; what is lost for so long is lost. */
const copyMs = 6 * 3_600_000;

const plain = (text: string): PostgresStatement => ({ name: "", text, timeoutMs: copyMs });

/**
 * Makes `backup_vN_TABLE` of every table in the schema, in the same schema: nobody needs a right more than for
 * the migration. All show one instant. `backup_vN_meta` is made last: where it stands, a backup is whole, and one
 * that an interrupted migration has left is not made again of tables that are half migrated.
 */
export async function backUp(send: Send, schema: string, version: number): Promise<void> {
  const prefix = `backup_v${version}_`;
  const tables = await tablesIn(send, schema);
  if (tables.includes(`${prefix}meta`)) return;
  // The index of words is made anew of the sessions.
  const own = tables.filter((table) => !/^(backup_v[0-9]+|search)_/.test(table));
  await send(plain("BEGIN ISOLATION LEVEL REPEATABLE READ"));
  try {
    for (const table of [...own.filter((each) => each !== "meta"), "meta"]) {
      const copy = `${schema}."${prefix}${table}"`;
      // A server that commits such statements by themselves may have been interrupted between them.
      await send(plain(`DROP TABLE IF EXISTS ${copy}`));
      await send(plain(`CREATE TABLE ${copy} AS SELECT * FROM ${schema}."${table}"`));
    }
    await send(plain("COMMIT"));
  } catch (error) {
    await send(plain("ROLLBACK")).catch(() => undefined);
    throw error;
  }
}

async function tablesIn(send: Send, schema: string): Promise<string[]> {
  const text =
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_type = 'BASE TABLE' ORDER BY 1";
  const { rows } = await send<{ readonly name: string }>(plain(text), [schema]);
  return rows.map(({ name }) => name);
}
