/** Runs operations on the one connection: at once, or when other processes' locks are gone. */
import type { Awaitable } from "../../../base/awaitable.ts";
import { storeClosed } from "../../refusals.ts";
import type { Runner, Operation, Query, Work } from "../operation.ts";
import { untilFree, WriteQueue } from "./busy.ts";
import type { OpenedDatabase } from "./database.ts";
import { transact, type Database, type Statement } from "../../../sqlite/engine.ts";
import { isBusy } from "../../../sqlite/result-codes.ts";
import { WalSync } from "./sync.ts";

const keptStatements = 128;

/** What failed before was undone. */
const first = { uncertain: false };

interface Prepared {
  readonly statement: Statement;
  /** Which of the values given is bound, in order; -1 stands for the time. */
  readonly order: readonly number[];
}

export class Connection implements Runner {
  readonly #db: Database;
  readonly #lockWaitMs: number;
  readonly #queue: WriteQueue;
  readonly #sync: WalSync;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #prepared = new Map<string, Prepared>();
  readonly #othersVersion: Statement;
  #written = 0;
  #closed = false;

  constructor({ db, path }: OpenedDatabase, lockWaitMs: number) {
    this.#db = db;
    this.#lockWaitMs = lockWaitMs;
    this.#queue = new WriteQueue(lockWaitMs);
    this.#sync = new WalSync(path, async (work) =>
      this.write(function* () {
        work();
      }),
    );
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#othersVersion = db.prepare("PRAGMA data_version").pluck();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** How often this connection has begun to write: another number after each. */
  get written(): number {
    return this.#written;
  }

  /** Another number whenever another connection has written, this process's or another's. May throw as SQLite does. */
  othersVersion(): unknown {
    return this.#othersVersion.get();
  }

  /** Another text whenever this connection or another one has written. */
  mark(): Awaitable<string> {
    return this.#whenFree(() => `${this.#written}/${String(this.othersVersion())}`);
  }

  read<T>(work: () => Operation<T>): Awaitable<T> {
    return this.#whenFree(() => this.#run(work()));
  }

  /** The same for what may be known already: `know` is given what reads it. */
  readBy<T>(know: (read: () => T) => T, work: () => Operation<T>): Awaitable<T> {
    return this.#whenFree(() => know(() => this.#run(work())));
  }

  /** Runs work that only reads, all of it at the same instant. */
  look<T>(work: () => T): Awaitable<T> {
    return this.#whenFree(() => transact(this.#db, "BEGIN", work));
  }

  write<T>(work: Work<T>): Awaitable<T> {
    return this.#queue.run(() => this.#inTransaction(work));
  }

  transact<T>(work: Work<T>): Awaitable<T> {
    return this.write(work);
  }

  /** On return every commit before the call is on the disk. */
  flush(): Promise<void> {
    return this.#sync.flush();
  }

  /** Whether what is written would be found again. Errors: `STORE_FAILED`. */
  assertInPlace(): void {
    this.#sync.assertInPlace();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue.drained();
    await this.#sync.close();
    this.#db.close();
  }

  #whenFree<T>(work: () => T): Awaitable<T> {
    if (this.#closed) throw storeClosed("sqlite");
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      return untilFree(work, performance.now() + this.#lockWaitMs);
    }
  }

  #inTransaction<T>(work: Work<T>): T {
    this.#written += 1;
    this.#begin.run();
    try {
      const result = this.#run(work(first));
      this.#commit.run();
      this.#sync.committed();
      return result;
    } catch (error) {
      // Some failures have rolled back already, a full disk for one.
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #run<T>(operation: Operation<T>): T {
    let step = operation.next();
    while (step.done !== true) step = operation.next(this.#answer(step.value));
    return step.value;
  }

  #answer({ statement: { text, asArrays }, values, gives }: Query): unknown {
    const { statement, order } = this.#prepare(text, asArrays);
    const bound: unknown[] = [];
    for (const at of order) {
      const value = at < 0 ? Date.now() : values[at];
      bound.push(typeof value === "boolean" ? Number(value) : value);
    }
    return gives === "rows" ? statement.all(...bound) : statement.run(...bound).changes;
  }

  /** A text is asked for in one way only. */
  #prepare(text: string, asArrays = false): Prepared {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    if (this.#prepared.size >= keptStatements) this.#prepared.clear();
    const order: number[] = [];
    const sql = text.replace(/\$(\d+)|\?/g, (_, number?: string) => {
      order.push(number === undefined ? order.length : Number(number) - 1);
      return "?";
    });
    const prepared = { statement: this.#db.prepare(sql), order };
    if (asArrays) prepared.statement.raw();
    this.#prepared.set(text, prepared);
    return prepared;
  }
}
