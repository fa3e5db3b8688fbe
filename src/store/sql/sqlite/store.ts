/** Sessions in one SQLite file, which several processes may share: the embedded default. */
import { stat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemCodeOf } from "../../../base/errors.ts";
import type { Store } from "../../contract.ts";
import type { StoreDriver } from "../../driver.ts";
import { defineStore } from "../../shell.ts";
import { sqlOperations } from "../driver.ts";
import { totalsOf } from "../lists.ts";
import { getRecord } from "../records.ts";
import { defaultLockWaitMs } from "./busy.ts";
import { Connection } from "./connection.ts";
import { openDatabase, type OpenedDatabase } from "./database.ts";
import { dialectOn, step } from "./dialect.ts";
import { asStoreError } from "./errors.ts";
import { Journal } from "./journal.ts";
import { KnownRecords } from "./known-records.ts";

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
    return storeOn(opened, new Connection(opened, lockWaitMs));
  } catch (error) {
    throw asStoreError(error, options.path);
  }
}

function storeOn({ db, engine, path, foundWalBytes }: OpenedDatabase, connection: Connection): Store {
  const dialect = dialectOn(connection, new Journal(db));
  const operations = sqlOperations(connection, dialect);
  const known = new KnownRecords(connection);
  const left = `${foundWalBytes} bytes in the write-ahead log`;
  return defineStore({
    name: "sqlite",
    changesMetadata: true,
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
    recovered:
      foundWalBytes > 0 ? `${left}: it was not closed in order, or another process has it open` : undefined,
    ...operations,
    ...inPlace(connection, operations),
    get: (id) =>
      connection.readBy(
        (read) => known.get(id, read),
        () => getRecord(dialect, id),
      ),
    delete: async (id, lease) => {
      const deleted = await operations.delete(id, lease);
      while (deleted && !connection.isClosed && (await connection.write(() => step(dialect))))
        await nextTurn();
      return deleted;
    },
    flush: () => connection.flush(),
    stats: async () => {
      const totals = await connection.read(() => totalsOf(dialect));
      const [main, wal] = await Promise.all([sizeOf(path), sizeOf(`${path}-wal`)]);
      return { ...totals, bytes: main + wal, details: { path, walBytes: wal, engine } };
    },
    identity: () => `sqlite:${path}`,
    changeMark: () => connection.mark(),
    close: () => connection.close(),
    toStoreError: (error, id) => asStoreError(error, path, id),
  });
}

/** What a session is and is called is acknowledged before anything of it is flushed. */
function inPlace(
  connection: Connection,
  { create, update }: Pick<StoreDriver, "create" | "update">,
): Pick<StoreDriver, "create" | "update"> {
  return {
    create: (session) => {
      connection.assertInPlace();
      return create(session);
    },
    update: (...asked) => {
      connection.assertInPlace();
      return update(...asked);
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return 0;
    throw error;
  }
}
