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
import { countSessions, listSessions } from "./activity.ts";
import { connectServer } from "./connect.ts";
import { loadIoredis } from "./driver.ts";
import { flushWrites, readDurability, type Durability } from "./durability.ts";
import { appendEntries, sealEntries, type JournalWrite } from "./journal.ts";
import { acquireLease, releaseLease, renewLease } from "./leases.ts";
import { joining } from "./joined.ts";
import { createSession, deleteSession } from "./lineage.ts";
import { parseRedisUrl } from "./location.ts";
import { mediumOn, type Medium } from "./medium.ts";
import { migrate } from "./migrations.ts";
import { readEntries } from "./reads.ts";
import { findKept, updateRecord } from "./records.ts";
import { keysFor } from "./schema.ts";
import { defaultLimits, type ServerLimits } from "./server.ts";
import { readStats } from "./stats.ts";

export interface RedisStoreOptions extends Partial<ServerLimits> {
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
  const keys = keysFor(location.prefix);
  const server = await connectServer(await loadIoredis(loadDriver), location, {
    ...defaultLimits,
    ...limits,
  });
  try {
    await migrate(server, keys);
    return new RedisStore(
      mediumOn(server, keys, await joining(server, keys)),
      await readDurability(server),
      statsSessions,
    );
  } catch (error) {
    await server.close();
    throw error;
  }
}

class RedisStore implements Store {
  readonly name = "redis";
  readonly capabilities: StoreCapabilities;
  readonly #medium: Medium;
  readonly #durability: Durability;
  readonly #statsSessions: number;
  readonly #order = new KeyedQueue<string>();
  readonly #writer = randomUUID();
  /** Sessions written to since the last flush, where a flush is needed. */
  #unflushed = new Set<SessionId>();
  #writes = 0;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(medium: Medium, durability: Durability, statsSessions: number) {
    this.#medium = medium;
    this.#statsSessions = statsSessions;
    this.#durability = durability;
    this.capabilities = { persistent: true, shared: true, survivesPowerLoss: durability !== "none" };
  }

  async create(given: NewSession): Promise<SessionRecord> {
    const session = structuredClone(given);
    return this.#write(given.id, () => createSession(this.#medium, session, this.#nextWrite()));
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    this.#assertOpen();
    return (await findKept(this.#medium, id))?.record;
  }

  async update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord> {
    const given = structuredClone(patch);
    return this.#write(id, () => updateRecord(this.#medium, id, given, lease && { ...lease }));
  }

  async delete(id: SessionId): Promise<boolean> {
    return this.#write(id, () => deleteSession(this.#medium, id));
  }

  async list(query: SessionQuery = {}): Promise<Page<SessionRecord>> {
    this.#assertOpen();
    return listSessions(this.#medium, query);
  }

  async count(filter: SessionFilter = {}): Promise<number> {
    this.#assertOpen();
    return countSessions(this.#medium, filter);
  }

  async append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    const write = this.#journalWrite(id, lease, entries);
    return this.#write(id, () => appendEntries(this.#medium, write, after));
  }

  async seal(
    id: SessionId,
    { from, head }: { readonly from: number; readonly head: number },
    entries: readonly NewEntry[],
    lease: Lease,
  ): Promise<number> {
    const write = this.#journalWrite(id, lease, entries);
    return this.#write(id, () => sealEntries(this.#medium, write, { from, head }));
  }

  async *read(id: SessionId, range: EntryRange = {}): AsyncGenerator<readonly Entry[]> {
    this.#assertOpen();
    yield* readEntries(this.#medium, id, range);
  }

  async acquire(id: SessionId, request: LeaseRequest): Promise<Acquired> {
    return this.#write(id, () => acquireLease(this.#medium, id, request, this.#nextWrite()));
  }

  async renew(lease: Lease): Promise<Lease> {
    const given = structuredClone(lease);
    return this.#write(lease.sessionId, () => renewLease(this.#medium, given));
  }

  async release(lease: Lease): Promise<void> {
    return this.#write(lease.sessionId, () => releaseLease(this.#medium, lease));
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
      await flushWrites(this.#medium, [...written]);
    } catch (error) {
      // A flush that failed leaves them to the next one.
      for (const id of written) this.#unflushed.add(id);
      throw error;
    }
  }

  async stats(): Promise<StoreStats> {
    this.#assertOpen();
    return readStats(this.#medium, this.#statsSessions);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#medium.server.close(this.#order.idle());
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
