/** A store whose operations are counted and timed: a decorator for every store. */
import { isSidecarError } from "../base/errors.ts";
import type { Counting } from "../base/meter.ts";
import type { Entry, NewEntry, Store } from "./contract.ts";
import { wrapStore } from "./shell.ts";

/** What the figures tell apart. */
type Operation = "append" | "seal" | "flush" | "read" | "find" | "change" | "lease";

/** It closes `inner`. */
export function measuredStore(inner: Store, meter: Counting): Store {
  const timed = timing(meter);
  const writing = <T>(operation: Operation, entries: readonly NewEntry[], act: () => Promise<T>) =>
    timed(operation, act, () => noteWritten(meter, entries));
  return wrapStore(inner, {
    create: (session) => timed("change", () => inner.create(session)),
    get: (id) => timed("find", () => inner.get(id)),
    update: (id, patch, lease) => timed("change", () => inner.update(id, patch, lease)),
    delete: (id, lease) => timed("change", () => inner.delete(id, lease)),
    list: (query) => timed("find", () => inner.list(query)),
    count: (filter) => timed("find", () => inner.count(filter)),
    append: (id, after, entries, lease) =>
      writing("append", entries, () => inner.append(id, after, entries, lease)),
    seal: (id, range, entries, lease) =>
      writing("seal", entries, () => inner.seal(id, range, entries, lease)),
    rewrite: (id, from, entries, lease) =>
      writing("change", entries, () => inner.rewrite(id, from, entries, lease)),
    compress: (id, lease) => timed("change", () => inner.compress(id, lease)),
    read: (id, range) => measuredPages(inner.read(id, range), meter),
    acquire: (id, request) => timed("lease", () => inner.acquire(id, request)),
    renew: (lease) => timed("lease", () => inner.renew(lease)),
    release: (lease) => timed("lease", () => inner.release(lease)),
    flush: () => timed("flush", () => inner.flush()),
  });
}

type Timed = <T>(operation: Operation, act: () => Promise<T>, done?: () => void) => Promise<T>;

function timing(meter: Counting): Timed {
  return (operation, act, done) => {
    const beganMs = performance.now();
    return act().then(
      (result) => {
        note(meter, operation, "ok", performance.now() - beganMs);
        done?.();
        return result;
      },
      (error: unknown) => {
        note(meter, operation, outcomeOf(error), performance.now() - beganMs);
        throw error;
      },
    );
  };
}

/** What its reader does with a page is not the store's time. */
async function* measuredPages(
  pages: AsyncIterable<readonly Entry[]>,
  meter: Counting,
): AsyncGenerator<readonly Entry[]> {
  let spentMs = 0;
  let outcome = "ok";
  let beganMs = performance.now();
  try {
    for await (const page of pages) {
      spentMs += performance.now() - beganMs;
      beganMs = Infinity;
      yield page;
      beganMs = performance.now();
    }
  } catch (error) {
    outcome = outcomeOf(error);
    throw error;
  } finally {
    note(meter, "read", outcome, spentMs + Math.max(0, performance.now() - beganMs));
  }
}

function note(meter: Counting, operation: Operation, outcome: string, ms: number): void {
  meter.add("storeOperations", `${operation} ${outcome}`);
  meter.time("storeOperation", operation, ms / 1000);
}

function noteWritten(meter: Counting, entries: readonly NewEntry[]): void {
  if (entries.length === 0) return;
  let bytes = 0;
  for (const { data } of entries) bytes += Buffer.byteLength(data);
  meter.add("storeEntries", "", entries.length);
  meter.add("storeBytes", "", bytes);
}

/** A rule of ours has refused it, or it could not be done. */
function outcomeOf(error: unknown): "refused" | "failed" {
  const isStores =
    !isSidecarError(error) || error.code.startsWith("STORE_") || error.code === "DECRYPT_FAILED";
  return isStores && !isSidecarError(error, "STORE_CONFLICT") ? "failed" : "refused";
}
