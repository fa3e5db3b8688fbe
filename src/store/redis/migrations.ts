/**
 * Brings the keys to our version: who comes first writes the version down; later ones run what is missing, one
 * process at a time. A migration hands every key that it is going to change to `keep` first.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SidecarError } from "../../base/errors.ts";
import { schemaVersion, type Keys } from "./schema.ts";
import { script, type Server } from "./server.ts";

/** Each must bear being run again: it may have been interrupted anywhere. Released ones are never edited. */
export interface Migration {
  readonly version: number;
  readonly run: (server: Server, keys: Keys, keep: (key: string) => Promise<void>) => Promise<void>;
}

/** What leads from one version to the next. The first one needs nothing. */
export const migrations: readonly Migration[] = [];

const lockMs = 60_000;
const waitForLockMs = 30_000;
const pollMs = 100;

const agree = script(`
local found = redis.call('GET', KEYS[1])
if found then return found end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
`);

/** Goes on with the lock only while it is ours. */
const prolong = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);

const unlock = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);

/** Errors: `STORE_SCHEMA_NEWER`; `STORE_LOCKED` when another process migrates for longer than we wait. */
export async function migrate(
  server: Server,
  keys: Keys,
  all: readonly Migration[] = migrations,
): Promise<void> {
  const newest = all.at(-1)?.version ?? schemaVersion;
  const found = await versionOf(server, keys, newest);
  if (found < newest) await locked(server, keys, () => forward(server, keys, all, newest));
}

/** An empty place is of the newest version at once. */
async function versionOf(server: Server, keys: Keys, newest: number): Promise<number> {
  const found = Number(await server.run(agree, [keys.schema], [newest]));
  if (found <= newest) return found;
  throw new SidecarError(
    "STORE_SCHEMA_NEWER",
    `The keys under ${server.location.prefix} have version ${found}, made by a newer acp-sidecar; this one knows ${newest}: update it`,
    { data: { found, known: newest } },
  );
}

async function forward(server: Server, keys: Keys, all: readonly Migration[], newest: number): Promise<void> {
  const from = await versionOf(server, keys, newest);
  for (const { version, run } of all) {
    if (version <= from) continue;
    await run(server, keys, (key) => keep(server, key, from));
    await server.command("set", keys.schema, version);
  }
}

/**
 * Copies a key to `PREFIXbackup:vN:REST`, in the same slot, for it keeps its braces, and for ever. What stands
 * there already is older and so the true one.
 */
async function keep(server: Server, key: string, version: number): Promise<void> {
  const { prefix } = server.location;
  const kept = `${prefix}backup:v${version}:${key.slice(prefix.length)}`;
  if (Number(await server.command("copy", key, kept)) === 1) await server.command("persist", kept);
}

async function locked(server: Server, keys: Keys, work: () => Promise<void>): Promise<void> {
  const lock = `${keys.schema}:lock`;
  const owner = randomUUID();
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    if ((await server.command("set", lock, owner, "NX", "PX", lockMs)) === "OK") break;
    if (waitedMs >= waitForLockMs) throw stillLocked(server);
    await sleep(pollMs);
  }
  const keeper = setInterval(() => {
    void server.run(prolong, [lock], [owner, lockMs]).catch(() => undefined);
  }, lockMs / 3);
  try {
    await work();
  } finally {
    clearInterval(keeper);
    await server.run(unlock, [lock], [owner]);
  }
}

function stillLocked(server: Server): SidecarError {
  return new SidecarError(
    "STORE_LOCKED",
    `Another process has been migrating the keys under ${server.location.prefix} for ${waitForLockMs / 1000} s; try again when it is done`,
  );
}
