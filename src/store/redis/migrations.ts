/**
 * Brings the keys to our version: who comes first writes the version down; later ones run what is missing, one
 * process at a time. A migration hands every key that it is going to change to `keep` first.
 */
import { storeNewer } from "../refusals.ts";
import { locked, type MigrationLock } from "../server/migration-lock.ts";
import type { Connection } from "./connection.ts";
import { schemaVersion } from "./keys.ts";
import prolong from "./scripts/prolong.lua";

/** Each must bear being run again: it may have been interrupted anywhere. Released ones are never edited. */
export interface Migration {
  readonly version: number;
  readonly run: (redis: Connection, keep: (key: string) => Promise<void>) => Promise<void>;
}

/** What leads from one version to the next. The first one needs nothing. */
export const migrations: readonly Migration[] = [
  // More kinds of entries, which an older program does not know. Keys stay as they are.
  { version: 2, run: async () => undefined },
];

/** Errors: `STORE_SCHEMA_NEWER`; `STORE_LOCKED` when another process migrates for longer than we wait. */
export async function migrate(redis: Connection, all: readonly Migration[] = migrations): Promise<void> {
  const newest = all.at(-1)?.version ?? schemaVersion;
  if ((await versionOf(redis, newest)) < newest)
    await locked(lockOn(redis), () => forward(redis, all, newest));
}

/** An empty place is of the newest version at once. */
async function versionOf(redis: Connection, newest: number): Promise<number> {
  const key = redis.keys.schema;
  let version = await redis.command("get", [key]);
  if (version === null) {
    await redis.command("setnx", [key, newest]);
    version = await redis.command("get", [key]);
  }
  const found = Number(version);
  if (found <= newest) return found;
  throw storeNewer(`What is kept under ${redis.location.prefix}`, found, newest);
}

async function forward(redis: Connection, all: readonly Migration[], newest: number): Promise<void> {
  const from = await versionOf(redis, newest);
  for (const { version, run } of all) {
    if (version <= from) continue;
    await run(redis, (key) => keep(redis, key, from));
    await redis.command("set", [redis.keys.schema, version]);
  }
}

/**
 * Copies a key to `PREFIXbackup:vN:REST` forever; the braces stay, and with them the slot. What stands there
 * already is older and so the true one.
 */
async function keep(redis: Connection, key: string, version: number): Promise<void> {
  const { prefix } = redis.location;
  const kept = `${prefix}backup:v${version}:${key.slice(prefix.length)}`;
  if (Number(await redis.command("copy", [key, kept])) === 1) await redis.command("persist", [kept]);
}

function lockOn(redis: Connection): MigrationLock {
  const lock = `${redis.keys.schema}:lock`;
  return {
    of: `the keys under ${redis.location.prefix}`,
    take: async (owner, forMs) => (await redis.command("set", [lock, owner, "NX", "PX", forMs])) === "OK",
    prolong: (owner, forMs) => redis.run(prolong, [lock], [owner, forMs]),
  };
}
