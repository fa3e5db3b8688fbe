/** Sessions in Redis, Valkey or a cluster of either: shared by any number of hosts. */
import type { SessionId } from "../../base/ids.ts";
import type { Store } from "../contract.ts";
import type { StoreDriver } from "../driver.ts";
import { writeIds } from "../server/write-ids.ts";
import { defineStore } from "../shell.ts";
import { connectServer } from "./connect.ts";
import { defaultLimits, type Connection, type ConnectionLimits } from "./connection.ts";
import { loadIoredis } from "./driver.ts";
import { Flusher, readSyncPolicy } from "./sync-policy.ts";
import { appendEntries, sealEntries } from "./journal.ts";
import { rewriteEntries } from "./rewrite.ts";
import { acquireLease, releaseLease, renewLease } from "./leases.ts";
import { createSession, deleteSession } from "./lineage.ts";
import { countSessions, listSessions, readStats } from "./lists.ts";
import { parseRedisUrl } from "./location.ts";
import { migrate } from "./migrations.ts";
import { readEntries } from "./reads.ts";
import { findRecord, updateRecord } from "./records.ts";
import { canJoin } from "./slices.ts";

export interface RedisStoreOptions extends Partial<ConnectionLimits> {
  /** `redis://user:password@host:6379/0` or `rediss://…`, with `?prefix=` and `ttlMs=` for us. */
  readonly url: string;
  /** In the place of `import("ioredis")`. */
  readonly loadDriver?: () => Promise<unknown>;
  /** How many sessions `stats()` looks at; beyond that, entries and bytes are estimated. 10,000 unless told. */
  readonly statsSessions?: number;
}

/**
 * Connects to the server, or to the cluster that it is part of.
 * Errors: `CONFIG_INVALID`, `STORE_UNAVAILABLE`, `STORE_SCHEMA_NEWER`, `STORE_FAILED`.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { url, loadDriver, statsSessions = 10_000, ...limits } = options;
  const driver = await loadIoredis(loadDriver);
  const location = parseRedisUrl(url);
  const redis = await connectServer(driver, location, { ...defaultLimits, ...limits });
  try {
    await migrate(redis);
    redis.joins = await canJoin(redis);
    const flusher = new Flusher(redis, await readSyncPolicy(redis));
    const { place, db, prefix } = location;
    return defineStore({
      queuesWrites: true,
      ...operations(redis, flusher, statsSessions),
      identity: () => `redis:${place}/${db}/${prefix}`,
    });
  } catch (error) {
    await redis.close();
    throw error;
  }
}

function operations(redis: Connection, flusher: Flusher, statsSessions: number): StoreDriver {
  const nextWrite = writeIds();
  /** A write that a flush must wait for. */
  const writing = async <T>(id: SessionId, write: Promise<T>): Promise<T> => {
    const result = await write;
    flusher.note(id);
    return result;
  };
  return {
    name: "redis",
    changesMetadata: true,
    capabilities: { persistent: true, shared: true, survivesPowerLoss: flusher.syncPolicy !== "none" },
    create: (session) => writing(session.id, createSession(redis, session, nextWrite())),
    get: (id) => findRecord(redis, id),
    update: (id, patch, lease) => writing(id, updateRecord(redis, id, patch, lease)),
    delete: (id, lease) => writing(id, deleteSession(redis, id, lease)),
    list: (query) => listSessions(redis, query),
    count: (filter) => countSessions(redis, filter),
    append: (id, after, entries, lease) =>
      writing(id, appendEntries(redis, { id, entries, lease, writeId: nextWrite() }, after)),
    seal: (id, range, entries, lease) =>
      writing(id, sealEntries(redis, { id, entries, lease, writeId: nextWrite() }, range)),
    rewrite: (id, from, entries, lease) =>
      writing(id, rewriteEntries(redis, { id, entries, lease, writeId: nextWrite() }, from)),
    read: (id, range) => readEntries(redis, id, range),
    acquire: (id, request) => writing(id, acquireLease(redis, id, request, nextWrite())),
    renew: (lease) => writing(lease.sessionId, renewLease(redis, lease)),
    release: (lease) => writing(lease.sessionId, releaseLease(redis, lease)),
    flush: () => flusher.flush(),
    stats: () => readStats(redis, statsSessions),
    close: (queued) => redis.close(queued),
  };
}
