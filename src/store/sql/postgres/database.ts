/** A pool of connections: single statements and transactions, tried again when the server was away. */
import { storeClosed } from "../../refusals.ts";
import { Retrier, type Attempt } from "../../server/retry.ts";
import { columnTypes, type PgClient, type PgDriver, type PgPool, type PgResult } from "./driver.ts";
import { breaksConnection, postgresFailure, setbackOf } from "./failures.ts";
import type { PostgresLocation } from "./location.ts";

export interface DatabaseLimits {
  /** How long the server may be away before calls fail. */
  readonly retryForMs: number;
  readonly connectTimeoutMs: number;
  /** A statement that takes longer is taken for lost. */
  readonly statementTimeoutMs: number;
  /**
   * For how long the server lets a transaction wait for its next statement. What it locked is free then, also
   * when our process is frozen or our host is gone without a word: a lease cannot run out behind a lock.
   */
  readonly transactionIdleMs: number;
}

export const defaultLimits: DatabaseLimits = {
  retryForMs: 3_000,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 60_000,
  transactionIdleMs: 5_000,
};

const closeGraceMs = 2_000;

/** One statement text with its name for the server's cache of prepared statements. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** In the place of the limit that holds for all others. */
  readonly timeoutMs?: number;
}

/** What runs statements: the pool, or one connection within a transaction. */
export interface Session {
  rows<Row>(statement: Statement, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Rows as arrays of columns, which are cheaper by the thousand. */
  tuples<Row>(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]>;
  /** How many rows were written. */
  write(statement: Statement, values?: readonly unknown[]): Promise<number>;
}

export class Database {
  readonly #pool: PgPool;
  readonly #location: PostgresLocation;
  readonly #retrier: Retrier;
  readonly #begin: Statement;
  readonly #busy = new Set<PgClient>();
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(driver: PgDriver, location: PostgresLocation, limits: DatabaseLimits) {
    this.#location = location;
    // Without a name or values it is sent as one text: two statements, one round trip, fit for a pooler.
    const idle = `SET LOCAL idle_in_transaction_session_timeout = ${limits.transactionIdleMs}`;
    this.#begin = { name: "", text: `BEGIN; ${idle}` };
    this.#retrier = new Retrier({ retryForMs: limits.retryForMs, setback: setbackOf });
    this.#pool = new driver.Pool({
      connectionString: location.connectionString,
      max: location.poolSize,
      connectionTimeoutMillis: limits.connectTimeoutMs,
      query_timeout: limits.statementTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      application_name: "acp-sidecar",
      types: columnTypes,
    });
    // A connection that breaks while nobody waits on it concerns nobody: the pool drops it, and the next
    // statement learns of the server's state itself. Unheard, either event would end the process.
    this.#pool.on("error", ignored);
    this.#pool.on("connect", (client) => client.on("error", ignored));
  }

  /** Host, port and database, fit for messages. */
  get place(): string {
    return this.#location.place;
  }

  /** Runs `work` on one connection, each statement for itself; again if the server was away. */
  statements<T>(work: (session: Session, attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#retried((attempt) => this.#connected((session) => work(session, attempt)));
  }

  /** Runs `work` in one transaction; again if it was undone or the server was away. */
  transaction<T>(work: (session: Session, attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#retried((attempt) =>
      this.#connected(async (session) => {
        await session.write(this.#begin);
        try {
          const result = await work(session, attempt);
          await session.write(commit);
          return result;
        } catch (error) {
          if (!breaksConnection(error)) await session.write(rollback);
          throw error;
        }
      }),
    );
  }

  /** One try only, so that opening a store fails as soon as it must. */
  async once<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#connected(work);
    } catch (error) {
      throw postgresFailure(error, this.place);
    }
  }

  /**
   * Calls that have begun, and those in `queued`, get one more try and a moment to end; then their
   * connections are broken off.
   */
  async close(queued: Promise<unknown> = Promise.resolve()): Promise<void> {
    if (this.#closed) return;
    this.#retrier.stop();
    const abandon = setInterval(() => {
      for (const client of this.#busy) client.end().catch(ignored);
    }, closeGraceMs);
    await queued;
    this.#closed = true;
    await Promise.allSettled(this.#running);
    clearInterval(abandon);
    // Only now: the pool would leave those that still wait for a connection without an answer.
    await this.#pool.end();
  }

  async #retried<T>(task: (attempt: Attempt) => Promise<T>): Promise<T> {
    const running = this.#retrier.run(task);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw postgresFailure(error, this.place);
    } finally {
      this.#running.delete(running);
    }
  }

  async #connected<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.#closed) throw storeClosed("postgres");
    const client = await this.#pool.connect();
    this.#busy.add(client);
    let broken = true;
    try {
      const result = await work(sessionOn(client, this.#location.prepares));
      broken = false;
      return result;
    } catch (error) {
      broken = breaksConnection(error);
      throw error;
    } finally {
      this.#busy.delete(client);
      client.release(broken);
    }
  }
}

const commit: Statement = { name: "commit", text: "COMMIT" };
const rollback: Statement = { name: "rollback", text: "ROLLBACK" };

function sessionOn(client: PgClient, prepares: boolean): Session {
  const run = <Row>(statement: Statement, values: readonly unknown[] = [], asArrays = false) => {
    const { name, text, timeoutMs } = statement;
    const mode = {
      ...(asArrays && { rowMode: "array" as const }),
      ...(timeoutMs !== undefined && { query_timeout: timeoutMs }),
    };
    const query: Promise<PgResult<Row>> = client.query(
      prepares ? { name, text, values, ...mode } : { text, values, ...mode },
    );
    return query;
  };
  return {
    rows: async <Row>(statement: Statement, values?: readonly unknown[]) =>
      (await run<Row>(statement, values)).rows,
    tuples: async <Row>(statement: Statement, values: readonly unknown[]) =>
      (await run<Row>(statement, values, true)).rows,
    write: async (statement, values) => (await run(statement, values)).rowCount ?? 0,
  };
}

function ignored(): void {}
