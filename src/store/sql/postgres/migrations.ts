/**
 * Brings the tables to our version. The lock is a row that says who migrates until when: other than a lock
 * of a transaction it lives through statements that commit by themselves, as DDL does on some servers.
 */
import { systemCodeOf } from "../../../base/errors.ts";
import { storeNewer } from "../../refusals.ts";
import { locked, type MigrationLock } from "../../server/migration-lock.ts";
import type { Database, Send } from "./database.ts";
import { backUp } from "./migration-backup.ts";
import { migrations, nowMs, type Migration } from "./schema.ts";

/** Of a schema, a table, its row type, a row of the catalogue; serialization failures, and what YugabyteDB says of them. */
const collisions = ["42P06", "42P07", "42710", "23505", "40001", "XX000"];

/**
 * Copies the tables of an older version aside, then runs what is missing. Errors: `STORE_SCHEMA_NEWER`;
 * `STORE_LOCKED` when another process migrates for longer than we wait.
 */
export async function migrate(
  database: Database,
  schema: string,
  all: readonly Migration[] = migrations,
): Promise<void> {
  const newest = all.at(-1)?.version ?? 0;
  await database.once(async (send) => {
    const version = await versionOf(send, schema);
    if (version > newest) throw storeNewer(`The schema ${schema}`, version, newest);
    if (version === newest) return;
    await ensureMeta(send, schema);
    await locked(lockOn(database, send, schema), (owner) => forward(send, schema, owner, all));
  });
}

function lockOn(database: Database, send: Send, schema: string): MigrationLock {
  const take = `UPDATE ${schema}.meta SET lock_owner = $1, locked_until_ms = ${nowMs} + $2::bigint
    WHERE one = 1 AND (lock_owner IS NULL OR locked_until_ms < ${nowMs})`;
  const keep = `UPDATE ${schema}.meta SET locked_until_ms = ${nowMs} + $2::bigint WHERE lock_owner = $1`;
  const give = `UPDATE ${schema}.meta SET lock_owner = NULL WHERE lock_owner = $1`;
  return {
    of: `the tables in ${schema}`,
    take: async (owner, forMs) => (await send(take, [owner, forMs])).rowCount === 1,
    // On a connection of its own: that of the migration is in the middle of a statement.
    prolong: (owner, forMs) =>
      forMs === 0 ? send(give, [owner]) : database.once((other) => other(keep, [owner, forMs])),
  };
}

async function forward(send: Send, schema: string, owner: string, all: readonly Migration[]): Promise<void> {
  const newest = all.at(-1)?.version ?? 0;
  const from = await versionOf(send, schema);
  if (from > newest) throw storeNewer(`The schema ${schema}`, from, newest);
  const isChange = all.some(({ version, statements }) => version > from && statements(schema).length > 0);
  if (from > 0 && isChange) await backUp(send, schema, from);
  for (const { version, statements } of all) {
    if (version <= from) continue;
    for (const text of statements(schema)) await send(text);
    const passed = `UPDATE ${schema}.meta SET version = $1 WHERE one = 1 AND lock_owner = $2`;
    await send(passed, [version, owner]);
  }
}

/** 0 when there is nothing yet. */
async function versionOf(send: Send, schema: string): Promise<number> {
  try {
    const { rows } = await send<{ version: number }>(`SELECT version FROM ${schema}.meta WHERE one = 1`);
    return rows[0]?.version ?? 0;
  } catch (error) {
    if (hasCode(error, "42P01", "3F000")) return 0;
    throw error;
  }
}

async function ensureMeta(send: Send, schema: string): Promise<void> {
  const found = await send("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [schema]);
  // Creating it needs a right on the whole database; an administrator may have done it for us.
  if (found.rowCount === 0) await tolerant(send, `CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await tolerant(
    send,
    `CREATE TABLE IF NOT EXISTS ${schema}.meta (
      one int PRIMARY KEY, version bigint NOT NULL, lock_owner text, locked_until_ms bigint NOT NULL)`,
  );
  await send(
    `INSERT INTO ${schema}.meta (one, version, locked_until_ms) VALUES (1, 0, 0) ON CONFLICT (one) DO NOTHING`,
  );
}

/** IF NOT EXISTS does not keep two that create at the same instant from colliding in the catalogue. */
async function tolerant(send: Send, text: string): Promise<void> {
  try {
    await send(text);
  } catch (error) {
    if (!hasCode(error, ...collisions)) throw error;
    await send(text);
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(systemCodeOf(error) ?? "");
}
