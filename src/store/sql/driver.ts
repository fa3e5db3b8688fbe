/** The operations of the contract, on whatever runs the statements of a dialect. */
import type { SessionId } from "../../base/ids.ts";
import type { Lease, NewEntry } from "../contract.ts";
import type { JournalWrite, StoreDriver } from "../driver.ts";
import type { Dialect } from "./dialect.ts";
import { appendEntries, readEntries, rewriteEntries, sealEntries } from "./journal.ts";
import { acquireLease, releaseLease, renewLease, type Acquisition } from "./leases.ts";
import { countSessions, listSessions } from "./lists.ts";
import type { Runner } from "./operation.ts";
import { createSession, deleteSession, getRecord, updateRecord } from "./records.ts";

type Operations = Omit<StoreDriver, "name" | "capabilities" | "flush" | "stats" | "close">;

export function sqlOperations(runner: Runner, dialect: Dialect): Operations {
  return {
    ...recordOperations(runner, dialect),
    ...journalOperations(runner, dialect),
    acquire: (id, request) => {
      const given: Acquisition = { id, request, writeId: dialect.nextWrite() };
      return runner.transact((attempt) => acquireLease(dialect, given, attempt));
    },
    renew: (lease) => runner.write(() => renewLease(dialect, lease)),
    release: (lease) => runner.write(() => releaseLease(dialect, lease)),
  };
}

function recordOperations(
  runner: Runner,
  dialect: Dialect,
): Pick<Operations, "create" | "get" | "update" | "delete" | "list" | "count"> {
  return {
    create: (given) => {
      const writeId = dialect.nextWrite();
      const create = given.lineage === undefined ? "write" : "transact";
      return runner[create](() => createSession(dialect, given, writeId));
    },
    get: (id) => runner.read(() => getRecord(dialect, id)),
    update: (id, patch, lease) => runner.transact(() => updateRecord(dialect, id, patch, lease)),
    delete: (id, lease) => runner.transact((attempt) => deleteSession(dialect, id, lease, attempt)),
    list: (query) => runner.read(() => listSessions(dialect, query)),
    count: (filter) => runner.read(() => countSessions(dialect, filter)),
  };
}

function journalOperations(
  runner: Runner,
  dialect: Dialect,
): Pick<Operations, "append" | "seal" | "rewrite" | "read"> {
  const writeOf = (id: SessionId, entries: readonly NewEntry[], lease: Lease): JournalWrite => ({
    id,
    entries,
    lease,
    writeId: dialect.nextWrite(),
  });
  const append = (given: JournalWrite, after: number, seals: boolean) => {
    const prepared = dialect.appending(given, after, seals);
    return runner.write((attempt) => appendEntries(dialect, given, after, prepared, attempt));
  };
  return {
    append: (id, after, entries, lease) => append(writeOf(id, entries, lease), after, false),
    seal: (id, range, entries, lease) => {
      const given = writeOf(id, entries, lease);
      if (range.from === range.head + 1) return append(given, range.head, true);
      const replace = dialect.replacing(range, entries);
      return runner.transact((attempt) => sealEntries(dialect, given, range, replace, attempt));
    },
    rewrite: (id, from, entries, lease) => {
      const rewrite = dialect.rewriting(from, entries);
      return runner.transact(() => rewriteEntries(dialect, { id, entries, lease }, from, rewrite));
    },
    read: (id, range) => readEntries(runner, dialect, id, range),
  };
}
