/** Sessions in one SQLite file, which several processes may share: the embedded default. */
import { stat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Database, Statement } from "./engine.ts";
import { systemCodeOf } from "../../../base/errors.ts";
import type { SessionId } from "../../../base/ids.ts";
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
  StoreStats,
} from "../../contract.ts";
import { defaultLockWaitMs, untilFree, WriteQueue } from "./busy.ts";
import { openDatabase, type OpenedDatabase } from "./database.ts";
import { Deletion } from "./deletion.ts";
import { Entries } from "./entries.ts";
import { asStoreError } from "./errors.ts";
import { Leases } from "./leases.ts";
import { Lists } from "./lists.ts";
import { readJournal } from "./pages.ts";
import { Records } from "./records.ts";
import { Sessions } from "./sessions.ts";
import { WalSync } from "./sync.ts";

export interface SqliteStoreOptions {
  /** The database file; made when it is not there, with the directories that lead to it. */
  readonly path: string;
  /** How long a call waits for a lock of another process before it fails with `STORE_LOCKED`; 5 s unless told. */
  readonly lockWaitMs?: number;
}

/**
 * Opens the store in one SQLite file. Errors: `STORE_UNAVAILABLE`, `STORE_READONLY`, `STORE_LOCKED`,
 * `STORE_CORRUPT`, `STORE_SCHEMA_NEWER`, `STORE_UNSUPPORTED`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  try {
    const lockWaitMs = options.lockWaitMs ?? defaultLockWaitMs;
    const opened = await openDatabase(options.path, lockWaitMs);
    return new SqliteStore(opened, lockWaitMs);
  } catch (error) {
    throw asStoreError(error, options.path);
  }
}

class SqliteStore implements Store {
  readonly name = "sqlite";
  readonly capabilities = { persistent: true, shared: true, survivesPowerLoss: true };
  readonly recovered?: string;
  readonly #db: Database;
  readonly #engine: string;
  readonly #path: string;
  readonly #begin: Statement<[]>;
  readonly #beginWrite: Statement<[]>;
  readonly #commit: Statement<[]>;
  readonly #sessions: Sessions;
  readonly #records: Records;
  readonly #entries: Entries;
  readonly #leases: Leases;
  readonly #lists: Lists;
  readonly #deletion: Deletion;
  readonly #lockWaitMs: number;
  readonly #queue: WriteQueue;
  readonly #sync: WalSync;
  #closing: Promise<void> | undefined;

  constructor({ db, engine, path, foundWalBytes }: OpenedDatabase, lockWaitMs: number) {
    if (foundWalBytes > 0) {
      const bytes = `${foundWalBytes} bytes in the write-ahead log`;
      this.recovered = `${bytes}: it was not closed in order, or another process has it open`;
    }
    this.#db = db;
    this.#engine = engine;
    this.#path = path;
    this.#lockWaitMs = lockWaitMs;
    this.#queue = new WriteQueue(lockWaitMs);
    this.#begin = db.prepare("BEGIN");
    this.#beginWrite = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#sessions = new Sessions(db);
    this.#records = new Records(db, this.#sessions);
    this.#entries = new Entries(db, this.#sessions);
    this.#leases = new Leases(db, this.#sessions);
    this.#lists = new Lists(db);
    this.#deletion = new Deletion(db, this.#records);
    this.#sync = new WalSync(path, (work) =>
      this.#queue.run(() => this.#transaction(this.#beginWrite, work)),
    );
  }

  async create(session: NewSession): Promise<SessionRecord> {
    return this.#write(session.id, () => this.#records.create(session));
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    return this.#read(id, () => this.#records.get(id));
  }

  async update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord> {
    return this.#write(id, () => this.#records.update(id, patch, lease));
  }

  async delete(id: SessionId): Promise<boolean> {
    const deleted = await this.#write(id, () => this.#deletion.begin(id) && (this.#deletion.step(), true));
    while (deleted && this.#closing === undefined && (await this.#write(id, () => this.#deletion.step()))) {
      await nextTurn();
    }
    return deleted;
  }

  async list(query: SessionQuery = {}): Promise<Page<SessionRecord>> {
    return this.#read(undefined, () => this.#lists.list(query));
  }

  async count(filter: SessionFilter = {}): Promise<number> {
    return this.#read(undefined, () => this.#lists.count(filter));
  }

  async append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    return this.#write(id, () => this.#entries.append(id, after, entries, lease));
  }

  async seal(
    id: SessionId,
    range: { readonly from: number; readonly head: number },
    entries: readonly NewEntry[],
    lease: Lease,
  ): Promise<number> {
    return this.#write(id, () => this.#entries.seal(id, range, entries, lease));
  }

  read(id: SessionId, range: EntryRange = {}): AsyncIterable<readonly Entry[]> {
    const look = <T>(work: () => T) => this.#read(id, () => this.#transaction(this.#begin, work));
    return readJournal({ sessions: this.#sessions, entries: this.#entries, look }, id, range);
  }

  async acquire(id: SessionId, request: LeaseRequest): Promise<Acquired> {
    return this.#write(id, () => this.#leases.acquire(id, request));
  }

  async renew(lease: Lease): Promise<Lease> {
    return this.#write(lease.sessionId, () => this.#leases.renew(lease));
  }

  async release(lease: Lease): Promise<void> {
    return this.#write(lease.sessionId, () => this.#leases.release(lease));
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    try {
      await this.#sync.flush();
    } catch (error) {
      throw asStoreError(error, this.#path);
    }
  }

  async stats(): Promise<StoreStats> {
    const [sessions, entries] = await this.#read(undefined, () => this.#lists.totals());
    const [main, wal] = await Promise.all([sizeOf(this.#path), sizeOf(`${this.#path}-wal`)]);
    const details = { path: this.#path, walBytes: wal, engine: this.#engine };
    return { sessions, entries, bytes: main + wal, details };
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#queue.drained();
    await this.#sync.close();
    this.#db.close();
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw storeClosed(this.name);
  }

  async #read<T>(id: SessionId | undefined, work: () => T): Promise<T> {
    this.#assertOpen();
    try {
      return await untilFree(work, performance.now() + this.#lockWaitMs);
    } catch (error) {
      throw asStoreError(error, this.#path, id);
    }
  }

  async #write<T>(id: SessionId, work: () => T): Promise<T> {
    this.#assertOpen();
    try {
      return await this.#queue.run(() => this.#transaction(this.#beginWrite, work));
    } catch (error) {
      throw asStoreError(error, this.#path, id);
    }
  }

  #transaction<T>(begin: Statement<[]>, work: () => T): T {
    begin.run();
    try {
      const result = work();
      this.#commit.run();
      if (begin === this.#beginWrite) this.#sync.committed();
      return result;
    } catch (error) {
      // Some failures have rolled back already, a full disk for one.
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return 0;
    throw error;
  }
}
