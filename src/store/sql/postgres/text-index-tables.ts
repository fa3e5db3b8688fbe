/**
 * The tables of the index of words. They are derived, so they have a version of their own, and those of an older one are
 * thrown away. Words go with their session at once; what was known of it stays until its forks have been looked at.
 */
import { systemCodeOf } from "../../../base/errors.ts";
import type { Database, Send } from "./database.ts";

/** Counted up with every change of what is kept, or of how words are told apart. */
const indexVersion = 3;

const tableNames = ["search_state", "search_sessions", "search_messages"] as const;

function tables(schema: string): readonly string[] {
  return [
    `DROP TABLE IF EXISTS ${tableNames.map((name) => `${schema}.${name}`).join(", ")}`,
    `CREATE TABLE ${schema}.search_state (
      one int PRIMARY KEY,
      version bigint NOT NULL,
      newest_ms bigint NOT NULL DEFAULT 0,
      looked_at_ms bigint NOT NULL DEFAULT 0,
      difference bigint NOT NULL DEFAULT 0,
      lock_owner text,
      locked_until_ms bigint NOT NULL DEFAULT 0)`,
    `CREATE TABLE ${schema}.search_sessions (
      id text PRIMARY KEY,
      journal_id bigint REFERENCES ${schema}.sessions (journal_id) ON DELETE SET NULL,
      updated_at_ms bigint NOT NULL,
      cwd text NOT NULL,
      folder text NOT NULL,
      agent text NOT NULL,
      parent_id text,
      base_seq bigint NOT NULL,
      from_seq bigint NOT NULL,
      through_seq bigint NOT NULL,
      sum bigint NOT NULL,
      is_open boolean NOT NULL,
      rewritten_at_ms bigint NOT NULL)`,
    `CREATE INDEX search_sessions_by_activity ON ${schema}.search_sessions (updated_at_ms DESC, id DESC)`,
    `CREATE INDEX search_sessions_by_journal ON ${schema}.search_sessions (journal_id)`,
    `CREATE INDEX search_sessions_by_parent ON ${schema}.search_sessions (parent_id)`,
    `CREATE INDEX search_sessions_open ON ${schema}.search_sessions (id) WHERE is_open`,
    `CREATE TABLE ${schema}.search_messages (
      journal_id bigint NOT NULL REFERENCES ${schema}.sessions (journal_id) ON DELETE CASCADE,
      seq bigint NOT NULL,
      words tsvector NOT NULL,
      PRIMARY KEY (journal_id, seq))`,
    `CREATE INDEX search_messages_by_word ON ${schema}.search_messages USING gin (words)`,
    `INSERT INTO ${schema}.search_state (one, version) VALUES (1, ${indexVersion})`,
  ];
}

/**
 * Makes the tables where they are missing or older. False where this user, this server or a newer acp-sidecar leaves
 * them to others: whoever searches then keeps an index of his own.
 */
export async function makeTables(database: Database, schema: string): Promise<boolean> {
  return database.once(async (send) => {
    try {
      if (!(await isAble(send))) return false;
      const version = await versionOf(send, schema);
      if (version < indexVersion) await make(send, schema);
      return version <= indexVersion && (await mayWrite(send, schema));
    } catch (error) {
      if (leftToOthers.has(systemCodeOf(error) ?? "")) return false;
      throw error;
    }
  });
}

/** No right to it; a server that only reads; one that knows less. */
const leftToOthers = new Set(["42501", "25006", "0A000", "42883", "42704"]);

/** Clusters that speak the protocol have other indexes and locks. */
async function isAble(send: Send): Promise<boolean> {
  const { rows } = await send<{ server: string; standby: boolean }>(
    "SELECT version() AS server, pg_is_in_recovery() AS standby",
  );
  const [{ server = "", standby = true } = {}] = rows;
  return !standby && !/CockroachDB|-YB-/.test(server);
}

/**
 * 0 where not all of them are. Asked of the catalogue as a table: `to_regclass` goes by what the connection remembers, which
 * is old when it has waited for the lock.
 */
async function versionOf(send: Send, schema: string): Promise<number> {
  const there = await send(
    `SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ? AND c.relname = ANY(?::text[])`,
    [schema, [...tableNames]],
  );
  if (there.rowCount !== tableNames.length) return 0;
  const { rows } = await send<{ version: number }>(`SELECT version FROM ${schema}.search_state`);
  return rows[0]?.version ?? 0;
}

async function mayWrite(send: Send, schema: string): Promise<boolean> {
  const { rows } = await send<{ may: boolean }>(
    `SELECT bool_and(has_table_privilege(name, may)) AS may FROM unnest(?::text[]) AS name,
      unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS may`,
    [tableNames.map((name) => `${schema}.${name}`)],
  );
  return rows[0]?.may === true;
}

/** In one transaction, so that nobody sees half of it; one process at a time. */
async function make(send: Send, schema: string): Promise<void> {
  await send("BEGIN");
  try {
    await send("SELECT pg_advisory_xact_lock(hashtext(?))", [`acp-sidecar search ${schema}`]);
    if ((await versionOf(send, schema)) < indexVersion) for (const text of tables(schema)) await send(text);
    await send("COMMIT");
  } catch (error) {
    await send("ROLLBACK").catch(() => undefined);
    throw error;
  }
}
