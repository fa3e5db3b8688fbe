/** Sessions in PostgreSQL, or in a cluster that speaks its protocol and SQL: shared by any number of hosts. */
import { randomUUID } from "node:crypto";
import type { SessionId } from "../../../base/ids.ts";
import { KeyedQueue } from "../../../base/queue.ts";
import { storeClosed } from "../../refusals.ts";
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
} from "../../contract.ts";
import { Database, defaultLimits, type DatabaseLimits } from "./database.ts";
import { loadPg } from "./driver.ts";
import { flushCommits, readDurability, type Durability } from "./durability.ts";
import { appendEntries, sealEntries, type JournalWrite } from "./journal.ts";
import { acquireLease, releaseLease, renewLease } from "./leases.ts";
import { createFork, deleteSession } from "./lineage.ts";
import { countSessions, listSessions } from "./lists.ts";
import { parsePostgresUrl } from "./location.ts";
import { migrate } from "./migrations.ts";
import { readEntries } from "./reads.ts";
import { createAlone, getRecord, updateRecord } from "./records.ts";
import { statementsFor, type Statements } from "./statements.ts";
import { readStats } from "./stats.ts";

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
    const durability = await database.once(readDurability);
    return new PostgresStore(database, location.schema, durability);
  } catch (error) {
    await database.close();
    throw error;
  }
}

class PostgresStore implements Store {
  readonly name = "postgres";
  readonly capabilities: StoreCapabilities;
  readonly #database: Database;
  readonly #schema: string;
  readonly #sql: Statements;
  readonly #durability: Durability;
  readonly #order = new KeyedQueue<SessionId>();
  readonly #writer = randomUUID();
  #writes = 0;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(database: Database, schema: string, durability: Durability) {
    this.#database = database;
    this.#schema = schema;
    this.#sql = statementsFor(schema);
    this.#durability = durability;
    this.capabilities = { persistent: true, shared: true, survivesPowerLoss: durability !== "none" };
  }

  async create(given: NewSession): Promise<SessionRecord> {
    const session = structuredClone(given);
    const { lineage } = session;
    return this.#inOrder(given.id, () =>
      lineage === undefined
        ? createAlone(this.#database, this.#sql, session, this.#nextWrite())
        : createFork(this.#database, this.#sql, { ...session, lineage }, this.#nextWrite()),
    );
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    this.#assertOpen();
    return getRecord(this.#database, this.#sql, id);
  }

  async update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord> {
    const given = structuredClone(patch);
    const held = lease && { ...lease };
    return this.#inOrder(id, () => updateRecord(this.#database, this.#sql, id, given, held));
  }

  delete(id: SessionId): Promise<boolean> {
    return this.#inOrder(id, () => deleteSession(this.#database, this.#sql, id));
  }

  async list(query: SessionQuery = {}): Promise<Page<SessionRecord>> {
    this.#assertOpen();
    return listSessions(this.#database, this.#schema, query);
  }

  async count(filter: SessionFilter = {}): Promise<number> {
    this.#assertOpen();
    return countSessions(this.#database, this.#schema, filter);
  }

  async append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    const write = this.#journalWrite(id, lease, entries);
    return this.#inOrder(id, () => appendEntries(this.#database, this.#sql, write, after));
  }

  async seal(
    id: SessionId,
    range: { readonly from: number; readonly head: number },
    entries: readonly NewEntry[],
    lease: Lease,
  ): Promise<number> {
    const write = this.#journalWrite(id, lease, entries);
    return this.#inOrder(id, () => sealEntries(this.#database, this.#sql, write, { ...range }));
  }

  async *read(id: SessionId, range: EntryRange = {}): AsyncGenerator<readonly Entry[]> {
    this.#assertOpen();
    yield* readEntries(this.#database, this.#sql, id, range);
  }

  acquire(id: SessionId, request: LeaseRequest): Promise<Acquired> {
    return this.#inOrder(id, () => acquireLease(this.#database, this.#sql, id, request, this.#nextWrite()));
  }

  async renew(lease: Lease): Promise<Lease> {
    const given = structuredClone(lease);
    return this.#inOrder(lease.sessionId, () => renewLease(this.#database, this.#sql, given));
  }

  release(lease: Lease): Promise<void> {
    return this.#inOrder(lease.sessionId, () => releaseLease(this.#database, this.#sql, lease));
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    if (this.#durability === "onFlush") await flushCommits(this.#database, this.#schema);
  }

  async stats(): Promise<StoreStats> {
    this.#assertOpen();
    return readStats(this.#database, this.#sql, this.#schema);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#database.close(this.#order.idle());
    await this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #inOrder<T>(id: SessionId, task: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#order.run(id, task);
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
