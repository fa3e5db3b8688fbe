/** Sessions in Redis, Valkey or a cluster of either: shared by any number of hosts. */
import { randomUUID } from "node:crypto";
import type { SessionId } from "../../base/ids.ts";
import { KeyedQueue } from "../../base/queue.ts";
import { storeClosed } from "../refusals.ts";
import type {
  Acquired,
  Entry,
  EntryRange,
  Lease,
  LeaseRequest,
  NewEntry,
  NewSession,
  Page,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  Store,
  StoreCapabilities,
  StoreStats,
} from "../contract.ts";
import { connectServer } from "./connect.ts";
import { defaultLimits, type Connection, type ConnectionLimits } from "./connection.ts";
import { loadIoredis } from "./driver.ts";
import { flushWrites, readDurability, type Durability } from "./durability.ts";
import { appendEntries, sealEntries, type JournalWrite } from "./journal.ts";
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
  const location = parseRedisUrl(url);
  const redis = await connectServer(await loadIoredis(loadDriver), location, {
    ...defaultLimits,
    ...limits,
  });
  try {
    await migrate(redis);
    redis.joins = await canJoin(redis);
    return new RedisStore(redis, await readDurability(redis), statsSessions);
  } catch (error) {
    await redis.close();
    throw error;
  }
}

class RedisStore implements Store {
  readonly name = "redis";
  readonly capabilities: StoreCapabilities;
  readonly #redis: Connection;
  readonly #durability: Durability;
  readonly #statsSessions: number;
  readonly #order = new KeyedQueue<string>();
  readonly #writer = randomUUID();
  /** Sessions written to since the last flush, where a flush is needed. */
  #unflushed = new Set<SessionId>();
  #writes = 0;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(redis: Connection, durability: Durability, statsSessions: number) {
    this.#redis = redis;
    this.#statsSessions = statsSessions;
    this.#durability = durability;
    this.capabilities = { persistent: true, shared: true, survivesPowerLoss: durability !== "none" };
  }

  async create(given: NewSession): Promise<SessionRecord> {
    const session = structuredClone(given);
    return this.#write(given.id, () => createSession(this.#redis, session, this.#nextWrite()));
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    this.#assertOpen();
    return findRecord(this.#redis, id);
  }

  async update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord> {
    const given = structuredClone(patch);
    return this.#write(id, () => updateRecord(this.#redis, id, given, lease && { ...lease }));
  }

  async delete(id: SessionId): Promise<boolean> {
    return this.#write(id, () => deleteSession(this.#redis, id));
  }

  async list(query: SessionQuery = {}): Promise<Page<SessionRecord>> {
    this.#assertOpen();
    return listSessions(this.#redis, query);
  }

  async count(filter: SessionFilter = {}): Promise<number> {
    this.#assertOpen();
    return countSessions(this.#redis, filter);
  }

  async append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    const write = this.#journalWrite(id, lease, entries);
    return this.#write(id, () => appendEntries(this.#redis, write, after));
  }

  async seal(
    id: SessionId,
    { from, head }: { readonly from: number; readonly head: number },
    entries: readonly NewEntry[],
    lease: Lease,
  ): Promise<number> {
    const write = this.#journalWrite(id, lease, entries);
    return this.#write(id, () => sealEntries(this.#redis, write, { from, head }));
  }

  async *read(id: SessionId, range: EntryRange = {}): AsyncGenerator<readonly Entry[]> {
    this.#assertOpen();
    yield* readEntries(this.#redis, id, range);
  }

  async acquire(id: SessionId, request: LeaseRequest): Promise<Acquired> {
    return this.#write(id, () => acquireLease(this.#redis, id, request, this.#nextWrite()));
  }

  async renew(lease: Lease): Promise<Lease> {
    const given = structuredClone(lease);
    return this.#write(lease.sessionId, () => renewLease(this.#redis, given));
  }

  async release(lease: Lease): Promise<void> {
    return this.#write(lease.sessionId, () => releaseLease(this.#redis, lease));
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    // One at a time: what an earlier one is still waiting for is part of what this one promises.
    if (this.#durability === "onFlush") await this.#order.run("flush", () => this.#flush());
  }

  async #flush(): Promise<void> {
    const written = this.#unflushed;
    this.#unflushed = new Set();
    try {
      await flushWrites(this.#redis, [...written]);
    } catch (error) {
      // A flush that failed leaves them to the next one.
      for (const id of written) this.#unflushed.add(id);
      throw error;
    }
  }

  async stats(): Promise<StoreStats> {
    this.#assertOpen();
    return readStats(this.#redis, this.#statsSessions);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#redis.close(this.#order.idle());
    await this.#closing;
  }

  async #write<T>(id: SessionId, task: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    const result = await this.#order.run(id, task);
    if (this.#durability === "onFlush") this.#unflushed.add(id);
    return result;
  }

  /** Copied now: the caller may change what it gave before the write has its turn. */
  #journalWrite(id: SessionId, lease: Lease, entries: readonly NewEntry[]): JournalWrite {
    const copies = entries.map(({ kind, atMs, data }) => ({ kind, atMs, data }));
    return { id, lease: { ...lease }, entries: copies, writeId: this.#nextWrite() };
  }

  /** Tells this write apart from every other one, of any process. */
  #nextWrite(): string {
    this.#writes += 1;
    return `${this.#writer}.${this.#writes}`;
  }

  #assertOpen(): void {
    if (this.#closed) throw storeClosed(this.name);
  }
}
