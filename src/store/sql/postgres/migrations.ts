/**
 * Brings the tables to our version. The lock is a row that says who migrates until when: other than a lock
 * of a transaction it lives through statements that commit by themselves, as DDL does on some servers.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SidecarError, systemCodeOf } from "../../../base/errors.ts";
import type { Database, Session, Statement } from "./database.ts";
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
  await database.once(async (session) => {
    const version = await versionOf(session, schema);
    if (version > newest) throw newer(version, schema, newest);
    if (version === newest) return;
    await ensureMeta(session, schema);
    const owner = randomUUID();
    await lock(session, schema, owner);
    // Copying may take longer than a lock is given for.
    const keeper = setInterval(() => {
      void database.once((other) => other.write(keepLock(schema), [owner])).catch(() => undefined);
    }, lockMs / 3);
    try {
      await forward(session, schema, owner, all);
    } finally {
      clearInterval(keeper);
      await session.write(unlock(schema), [owner]);
    }
  });
}

async function forward(
  session: Session,
  schema: string,
  owner: string,
  all: readonly Migration[],
): Promise<void> {
  const newest = all.at(-1)?.version ?? 0;
  const from = await versionOf(session, schema);
  if (from > newest) throw newer(from, schema, newest);
  if (from > 0 && from < newest) await backUp(session, schema, from);
  for (const { version, statements } of all) {
    if (version <= from) continue;
    for (const text of statements(schema)) await session.write(ddl(text));
    await session.write(
      { name: "", text: `UPDATE ${schema}.meta SET version = $1 WHERE one = 1 AND lock_owner = $2` },
      [version, owner],
    );
  }
}

/** 0 when there is nothing yet. */
async function versionOf(session: Session, schema: string): Promise<number> {
  try {
    const text = `SELECT version FROM ${schema}.meta WHERE one = 1`;
    const [row] = await session.rows<{ version: number }>({ name: "", text });
    return row?.version ?? 0;
  } catch (error) {
    if (hasCode(error, "42P01", "3F000")) return 0;
    throw error;
  }
}

async function ensureMeta(session: Session, schema: string): Promise<void> {
  const found = await session.rows(
    { name: "", text: "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1" },
    [schema],
  );
  // Creating it needs a right on the whole database; an administrator may have done it for us.
  if (found.length === 0) await tolerant(session, `CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await tolerant(
    session,
    `CREATE TABLE IF NOT EXISTS ${schema}.meta (
      one int PRIMARY KEY, version bigint NOT NULL, lock_owner text, locked_until_ms bigint NOT NULL)`,
  );
  await session.write({
    name: "",
    text: `INSERT INTO ${schema}.meta (one, version, locked_until_ms) VALUES (1, 0, 0) ON CONFLICT (one) DO NOTHING`,
  });
}

/** IF NOT EXISTS does not keep two that create at the same instant from colliding in the catalogue. */
async function tolerant(session: Session, text: string): Promise<void> {
  try {
    await session.write(ddl(text));
  } catch (error) {
    if (!hasCode(error, ...collisions)) throw error;
    await session.write(ddl(text));
  }
}

async function lock(session: Session, schema: string, owner: string): Promise<void> {
  const take: Statement = {
    name: "",
    text: `UPDATE ${schema}.meta SET lock_owner = $1, locked_until_ms = ${nowMs} + ${lockMs}
      WHERE one = 1 AND (lock_owner IS NULL OR locked_until_ms < ${nowMs})`,
  };
  for (let waitedMs = 0; waitedMs < waitForLockMs; waitedMs += pollMs) {
    if ((await session.write(take, [owner])) === 1) return;
    await sleep(pollMs);
  }
  throw new SidecarError(
    "STORE_LOCKED",
    `Another process has been migrating the tables in ${schema} for ${waitForLockMs / 1000} s; try again when it is done`,
  );
}

function unlock(schema: string): Statement {
  return { name: "", text: `UPDATE ${schema}.meta SET lock_owner = NULL WHERE lock_owner = $1` };
}

function keepLock(schema: string): Statement {
  return {
    name: "",
    text: `UPDATE ${schema}.meta SET locked_until_ms = ${nowMs} + ${lockMs} WHERE lock_owner = $1`,
  };
}

function ddl(text: string): Statement {
  return { name: "", text };
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
