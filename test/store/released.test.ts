/** Stores as every released version has left them, opened by this one. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterAll, describe, expect, it } from "vitest";
import { verifySessions } from "../../src/care/verify.ts";
import { openStore } from "../../src/store/open.ts";
import { migrate as migratePostgres } from "../../src/store/sql/postgres/migrations.ts";
import { migrations as postgresMigrations } from "../../src/store/sql/postgres/schema.ts";
import { Database, defaultLimits } from "../../src/store/sql/postgres/database.ts";
import { loadPg } from "../../src/store/sql/postgres/driver.ts";
import { parsePostgresUrl } from "../../src/store/sql/postgres/location.ts";
import { connectServer } from "../../src/store/redis/connect.ts";
import { loadIoredis } from "../../src/store/redis/driver.ts";
import { parseRedisUrl } from "../../src/store/redis/location.ts";
import { migrate as migrateRedis, migrations, type Migration } from "../../src/store/redis/migrations.ts";
import { defaultLimits as redisLimits } from "../../src/store/redis/connection.ts";
import type { SessionId } from "../../src/base/ids.ts";
import type { Entry, SessionRecord } from "../../src/store/contract.ts";
import { anEntry, entriesOf, leaseOf, listAll, rejectsWith, withoutLease } from "../conformance/samples.ts";
import { postgresSandbox } from "./sql/postgres/sandbox.ts";
import { redisSandbox } from "./redis/sandbox.ts";
import { describeServer } from "./servers.ts";

const fixtures = fileURLToPath(new URL("../fixtures/stores/", import.meta.url));
const versions = readdirSync(fixtures).filter((name) => /^v[0-9]+$/.test(name));
const folder = mkdtempSync(join(tmpdir(), "acp-sidecar-released-"));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (version: string, file: string): string => readFileSync(join(fixtures, version, file), "utf8");

/** That everything is there as it was written, and that the sessions go on. */
async function assertOpens(url: string, version: string): Promise<void> {
  const expected = JSON.parse(read(version, "expected.json")) as {
    record: SessionRecord;
    entries: Entry[];
  }[];
  const store = await openStore(url);
  try {
    expect((await verifySessions(store)).damages).toEqual([]);
    const found = (await listAll(store)).sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(found.map(withoutLease)).toEqual(expected.map(({ record }) => record));
    for (const { record, entries } of expected) {
      expect(await entriesOf(store, record.id)).toEqual(entries);
      const { headSeq } = record;
      const lease = await leaseOf(store, record.id);
      expect(await store.append(record.id, headSeq, [anEntry("more")], lease)).toBe(headSeq + 1);
    }
  } finally {
    await store.close();
  }
}

describe.each(versions)("a store of schema %s", (version) => {
  it.each([
    ["sqlite", "sqlite.db"],
    ["file", "file"],
  ])("%s: is opened with all that it holds, and goes on", async (scheme, name) => {
    const copy = join(folder, `${version}-${name}`);
    cpSync(join(fixtures, version, name), copy, { recursive: true });
    await assertOpens(`${scheme}:${copy}`, version);
  });
});

describeServer("TEST_POSTGRES_URL", 5432, (serverUrl) => {
  const sandbox = postgresSandbox(serverUrl);
  afterAll(sandbox.close);
  const restore = async (version: string) => {
    await sandbox.drop();
    await sandbox.pool.query(read(version, "postgres.sql").replaceAll(`released_${version}`, sandbox.schema));
  };

  it.each(versions)(
    "postgres: of schema %s is opened with all that it holds, and goes on",
    async (version) => {
      await restore(version);
      await assertOpens(sandbox.url, version);
    },
  );

  it("postgres: tables are copied aside before they are migrated, once, as they were", async () => {
    await restore("v1");
    const { schema, pool } = sandbox;
    const database = new Database(await loadPg(), parsePostgresUrl(sandbox.url), defaultLimits);
    const rows = async (table: string) =>
      (await pool.query<{ facts: string }>(`SELECT facts FROM ${schema}.${table} ORDER BY id`)).rows;
    const before = await rows("sessions");
    const first = { version: 3, statements: (name: string) => [`UPDATE ${name}.sessions SET facts = '{}'`] };
    const wrong = { version: 4, statements: () => ["SELECT nonsense"] };
    try {
      await rejectsWith(
        "STORE_FAILED",
        migratePostgres(database, schema, [...postgresMigrations, first, wrong]),
      );
      expect(await rows("sessions")).toEqual(before.map(() => ({ facts: "{}" })));
      expect(await rows("backup_v1_sessions")).toEqual(before);
      // As if it had been interrupted within the first step: what is copied already is not copied again.
      await pool.query(`UPDATE ${schema}.meta SET version = 1`);
      await migratePostgres(database, schema, [...postgresMigrations, first]);
      expect(await rows("backup_v1_sessions")).toEqual(before);
      const { rows: blocks } = await pool.query(`SELECT * FROM ${schema}.backup_v1_blocks`);
      expect(blocks.length).toBeGreaterThan(2);
    } finally {
      await database.close();
    }
    await rejectsWith("STORE_SCHEMA_NEWER", openStore(sandbox.url));
  });
});

describeServer("TEST_REDIS_URL", 6379, (serverUrl) => {
  const client = new Redis(serverUrl);
  const sandbox = redisSandbox(serverUrl, client);
  afterAll(sandbox.close);
  const restore = async (version: string) => {
    await sandbox.empty();
    const commands = JSON.parse(
      read(version, "redis.json").replaceAll(`"released-${version}:`, `"${sandbox.prefix}`),
    ) as string[][];
    for (const [name = "", ...args] of commands) await client.call(name, args);
  };

  it.each(versions)("redis: of schema %s is opened with all that it holds, and goes on", async (version) => {
    await restore(version);
    await assertOpens(sandbox.url, version);
  });

  it("redis: keys are kept as they were before a migration changes them", async () => {
    await restore("v1");
    const location = parseRedisUrl(sandbox.url);
    const redis = await connectServer(await loadIoredis(), location, redisLimits);
    const { keys } = redis;
    const [id = ""] = await client.zrange(keys.activity, "0", "0");
    const record = keys.record(id as SessionId);
    const before = await client.hgetall(record);
    let runs = 0;
    const next: Migration = {
      version: 3,
      run: async (on, keep) => {
        runs += 1;
        await keep(record);
        await on.command("hset", [record, "facts", `rewritten ${runs}`]);
        // Interrupted behind the first key, when it runs first.
        if (runs === 1) throw new Error("interrupted");
      },
    };
    try {
      await expect(migrateRedis(redis, [...migrations, next])).rejects.toThrow("interrupted");
      expect(await client.get(keys.schema)).toBe("2");
      // Several at once: one does it.
      await Promise.all([1, 2, 3].map(() => migrateRedis(redis, [...migrations, next])));
      expect(runs).toBe(2);
      expect(await client.hget(record, "facts")).toBe("rewritten 2");
      expect(await client.hgetall(`${location.prefix}backup:v1:{${id}}:record`)).toEqual(before);
      expect(await client.exists(`${keys.schema}:lock`)).toBe(0);
    } finally {
      await redis.close();
    }
    await rejectsWith("STORE_SCHEMA_NEWER", openStore(sandbox.url));
  });
});
