/**
 * Brings the tables to our version. The lock is a row that says who migrates until when: other than a lock
 * of a transaction it lives through statements that commit by themselves, as DDL does on some servers.
 */
import { randomUUID } from "node:crypto";
import { SidecarError, systemCodeOf } from "../../../base/errors.ts";
import { pause } from "../../../base/time.ts";
import type { Database, Send } from "./database.ts";
import { backUp } from "./migration-backup.ts";
import { migrations, nowMs, type Migration } from "./schema.ts";

const lockMs = 60_000;
const waitForLockMs = 30_000;
const pollMs = 100;
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
    if (version > newest) throw newer(version, schema, newest);
    if (version === newest) return;
    await ensureMeta(send, schema);
    const owner = randomUUID();
    await lock(send, schema, owner);
    // Copying may take longer than a lock is given for.
    const keep = `UPDATE ${schema}.meta SET locked_until_ms = ${nowMs} + ${lockMs} WHERE lock_owner = $1`;
    const keeper = setInterval(() => {
      void database.once((other) => other(keep, [owner])).catch(() => undefined);
    }, lockMs / 3);
    try {
      await forward(send, schema, owner, all);
    } finally {
      clearInterval(keeper);
      await send(`UPDATE ${schema}.meta SET lock_owner = NULL WHERE lock_owner = $1`, [owner]);
    }
  });
}

async function forward(send: Send, schema: string, owner: string, all: readonly Migration[]): Promise<void> {
  const newest = all.at(-1)?.version ?? 0;
  const from = await versionOf(send, schema);
  if (from > newest) throw newer(from, schema, newest);
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

async function lock(send: Send, schema: string, owner: string): Promise<void> {
  const take = `UPDATE ${schema}.meta SET lock_owner = $1, locked_until_ms = ${nowMs} + ${lockMs}
    WHERE one = 1 AND (lock_owner IS NULL OR locked_until_ms < ${nowMs})`;
  for (let waitedMs = 0; waitedMs < waitForLockMs; waitedMs += pollMs) {
    if ((await send(take, [owner])).rowCount === 1) return;
    await pause(pollMs);
  }
  throw new SidecarError(
    "STORE_LOCKED",
    `Another process has been migrating the tables in ${schema} for ${waitForLockMs / 1000} s; try again when it is done`,
  );
}

function newer(version: number, schema: string, known: number): SidecarError {
  return new SidecarError(
    "STORE_SCHEMA_NEWER",
    `The tables in ${schema} have version ${version}, made by a newer acp-sidecar; this one knows ${known}: update it`,
    { data: { found: version, known } },
  );
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(systemCodeOf(error) ?? "");
}
