/** A pool of connections: single statements and transactions, tried again when the server was away. */
import type { Pool, QueryConfig, QueryResult } from "pg";
import { storeClosed } from "../../refusals.ts";
import { closeGraceMs, Retrier, serverLimits, type Attempt, type ServerLimits } from "../../server/retry.ts";
import type { Runner, Operation, Statement, Work } from "../operation.ts";
import { columnTypes, type PgClient, type PgDriver } from "./driver.ts";
import { breaksConnection, postgresFailure, setbackOf } from "./failures.ts";
import type { PostgresLocation } from "./location.ts";

export interface DatabaseLimits extends ServerLimits {
  /** A statement that takes longer is taken for lost. */
  readonly statementTimeoutMs: number;
  /**
   * For how long the server lets a transaction wait for its next statement. What it locked is free then, also
   * when our process is frozen or our host is gone without a word: a lease cannot run out behind a lock.
   */
  readonly transactionIdleMs: number;
}

export const defaultLimits: DatabaseLimits = {
  ...serverLimits,
  statementTimeoutMs: 60_000,
  transactionIdleMs: 5_000,
};

/** In the place of the limits that hold for all others. */
export interface PostgresStatement extends Statement {
  readonly timeoutMs?: number;
}

/** Sends a statement on one connection; a mere text is one without a name. */
export type Send = <Row extends object = object>(
  statement: PostgresStatement | string,
  values?: readonly unknown[],
) => Promise<QueryResult<Row>>;

export class Database implements Runner {
  readonly #pool: Pool;
  readonly #location: PostgresLocation;
  readonly #retrier: Retrier;
  readonly #begin: string;
  readonly #busy = new Set<PgClient>();
  #closed = false;

  constructor(driver: PgDriver, location: PostgresLocation, limits: DatabaseLimits) {
    this.#location = location;
    // Without a name or values it is sent as one text: two statements, one round trip, fit for a pooler.
    this.#begin = `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${limits.transactionIdleMs}`;
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

  read<T>(work: () => Operation<T>): Promise<T> {
    return this.write(work);
  }

  write<T>(work: Work<T>): Promise<T> {
    return this.#retried((send, attempt) => execute(send, work(attempt)));
  }

  /** Again, too, if the server undid it for the sake of others. */
  transact<T>(work: Work<T>): Promise<T> {
    return this.#retried(async (send, attempt) => {
      await send(this.#begin);
      try {
        const result = await execute(send, work(attempt));
        await send(commit);
        return result;
      } catch (error) {
        if (!breaksConnection(error)) await send(rollback);
        throw error;
      }
    });
  }

  /** One try only, so that opening a store fails as soon as it must. */
  async once<T>(work: (send: Send) => Promise<T>): Promise<T> {
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
    this.#retrier.stop();
    const abandon = setInterval(() => {
      for (const client of this.#busy) client.end().catch(ignored);
    }, closeGraceMs);
    await queued;
    this.#closed = true;
    await this.#retrier.idle();
    clearInterval(abandon);
    // Only now: the pool would leave those that still wait for a connection without an answer.
    await this.#pool.end();
  }

  #retried<T>(work: (send: Send, attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#retrier.run((attempt) => this.#connected((send) => work(send, attempt)));
  }

  async #connected<T>(work: (send: Send) => Promise<T>): Promise<T> {
    if (this.#closed) throw storeClosed("postgres");
    const client = (await this.#pool.connect()) as PgClient;
    this.#busy.add(client);
    let broken = true;
    try {
      const result = await work(sendingOn(client, this.#location.prepares));
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

async function execute<T>(send: Send, operation: Operation<T>): Promise<T> {
  let step = operation.next();
  while (step.done !== true) {
    const { statement, values, gives } = step.value;
    const result = await send(statement, values);
    step = operation.next(gives === "rows" ? result.rows : (result.rowCount ?? 0));
  }
  return step.value;
}

/** Above it a text is sent without a name: the server then waits for it in the middle of a request, however long. */
const longText = 1 << 20;

function sendingOn(client: PgClient, prepares: boolean): Send {
  return (statement, values = []) => {
    const given: PostgresStatement =
      typeof statement === "string" ? { name: "", text: statement } : statement;
    const isLong = values.some((value) => typeof value === "string" && value.length > longText);
    let marks = 0;
    const query: QueryConfig & { query_timeout?: number | undefined; rowMode?: "array" | undefined } = {
      name: prepares && !isLong ? given.name : "",
      text: given.name === "" ? given.text.replace(/\?/g, () => `$${(marks += 1)}`) : given.text,
      values: values as unknown[],
      rowMode: given.asArrays ? "array" : undefined,
      query_timeout: given.timeoutMs,
    };
    return client.query(query);
  };
}

function ignored(): void {}
