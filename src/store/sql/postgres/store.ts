/** Sessions in PostgreSQL, or in a cluster that speaks its protocol and SQL: shared by any number of hosts. */
import type { Store } from "../../contract.ts";
import { defineStore } from "../../shell.ts";
import { sqlOperations } from "../driver.ts";
import { totalsOf } from "../lists.ts";
import { rows } from "../operation.ts";
import { systemCodeOf } from "../../../base/errors.ts";
import { Database, defaultLimits, type DatabaseLimits } from "./database.ts";
import { dialectOn } from "./dialect.ts";
import { loadPg } from "./driver.ts";
import { flushCommits, readSyncPolicy, type SyncPolicy } from "./sync-policy.ts";
import { postgresFailure } from "./failures.ts";
import { parsePostgresUrl } from "./location.ts";
import { migrate } from "./migrations.ts";

export interface PostgresStoreOptions extends Partial<DatabaseLimits> {
  /** `postgres://user:password@host:5432/database`, with `?schema=`, `pool=` and `prepare=false` for us. */
  readonly url: string;
  /** In the place of `import("pg")`. */
  readonly loadDriver?: () => Promise<unknown>;
}

/**
 * Connects, and brings the tables to our version.
 * Errors: `CONFIG_INVALID`, `STORE_UNAVAILABLE`, `STORE_SCHEMA_NEWER`, `STORE_LOCKED`, `STORE_FAILED`.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, loadDriver, ...limits } = options;
  const location = parsePostgresUrl(url);
  const database = new Database(await loadPg(loadDriver), location, { ...defaultLimits, ...limits });
  try {
    await migrate(database, location.schema);
    const syncPolicy = await database.once(readSyncPolicy);
    return storeOn(database, location.schema, syncPolicy);
  } catch (error) {
    await database.close();
    throw error;
  }
}

function storeOn(database: Database, schema: string, syncPolicy: SyncPolicy): Store {
  const dialect = dialectOn(database, schema);
  return defineStore({
    name: "postgres",
    changesMetadata: true,
    capabilities: { persistent: true, shared: true, survivesPowerLoss: syncPolicy !== "none" },
    queuesWrites: true,
    ...sqlOperations(database, dialect),
    flush: async () => {
      if (syncPolicy === "onFlush") await database.transact(() => flushCommits(schema));
    },
    stats: async () => ({
      ...(await database.read(() => totalsOf(dialect))),
      bytes: await sizeOf(database, schema),
    }),
    textIndex: async () => (await import("./text-index.ts")).openTextIndex(database, schema),
    identity: () => `postgres:${database.place}/${schema}`,
    close: (queued) => database.close(queued),
    toStoreError: (error) => postgresFailure(error, database.place),
  });
}

/** Tables and indexes on disk; 0 on servers that cannot tell. */
async function sizeOf(database: Database, schema: string): Promise<number> {
  const text = `SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'`;
  try {
    const [row] = await database.read(() => rows<{ bytes: number }>({ name: "", text }, schema));
    return row?.bytes ?? 0;
  } catch (error) {
    if (systemCodeOf(error) === "42883") return 0;
    throw error;
  }
}
