/** A store's operations, counted and timed: around a driver, within the shell that checks what is asked of it. */
import { isSidecarError } from "../base/errors.ts";
import type { Counting } from "../base/meter.ts";
import type { Entry, NewEntry, Store } from "./contract.ts";
import { forwarding } from "./decorate.ts";
import type { Awaitable } from "../base/awaitable.ts";
import type { StoreDriver } from "./driver.ts";
import { defineStore } from "./shell.ts";

/** Each with what a meter is told of it. */
const operations = {
  append: outcomesOf("append"),
  seal: outcomesOf("seal"),
  flush: outcomesOf("flush"),
  read: outcomesOf("read"),
  find: outcomesOf("find"),
  change: outcomesOf("change"),
  lease: outcomesOf("lease"),
};
type Operation = keyof typeof operations;
type Outcome = "ok" | "refused" | "failed";

function outcomesOf(operation: string): Readonly<Record<Outcome, string>> {
  return { ok: `${operation} ok`, refused: `${operation} refused`, failed: `${operation} failed` };
}

/** The same store, of which all is counted that is done by whoever has it from here. */
export function measuredStore(store: Store, meter: Counting): Store {
  return defineStore(measuring(store, meter));
}

export function measuring(driver: StoreDriver, meter: Counting): StoreDriver {
  const timed = timing(meter);
  const writing = <T>(operation: Operation, entries: readonly NewEntry[], act: () => Awaitable<T>) =>
    timed(operation, act, () => noteWritten(meter, entries));
  return forwarding(driver, {
    create: (session) => timed("change", () => driver.create(session)),
    get: (id) => timed("find", () => driver.get(id)),
    update: (id, patch, lease) => timed("change", () => driver.update(id, patch, lease)),
    delete: (id, lease) => timed("change", () => driver.delete(id, lease)),
    list: (query) => timed("find", () => driver.list(query)),
    count: (filter) => timed("find", () => driver.count(filter)),
    append: (id, after, entries, lease) =>
      writing("append", entries, () => driver.append(id, after, entries, lease)),
    seal: (id, range, entries, lease) =>
      writing("seal", entries, () => driver.seal(id, range, entries, lease)),
    ...(driver.rewrite && {
      rewrite: (id, from, entries, lease) =>
        writing("change", entries, () => driver.rewrite?.(id, from, entries, lease)),
    }),
    ...(driver.compress && {
      compress: (id, lease) => timed("change", () => driver.compress?.(id, lease)),
    }),
    read: (id, range) => measuredPages(driver.read(id, range), meter),
    acquire: (id, request) => timed("lease", () => driver.acquire(id, request)),
    renew: (lease) => timed("lease", () => driver.renew(lease)),
    release: (lease) => timed("lease", () => driver.release(lease)),
    flush: () => timed("flush", () => driver.flush()),
  });
}

type Timed = <T>(operation: Operation, act: () => Awaitable<T>, done?: () => void) => Awaitable<T>;

function timing(meter: Counting): Timed {
  return (operation, act, done) => {
    const beganMs = performance.now();
    const failed = (error: unknown): never => {
      note(meter, operation, outcomeOf(error), beganMs);
      throw error;
    };
    const succeeded = <T>(result: T): T => {
      note(meter, operation, "ok", beganMs);
      done?.();
      return result;
    };
    const result = begun(act, failed);
    return result instanceof Promise ? result.then(succeeded, failed) : succeeded(result);
  };
}

function begun<T>(act: () => Awaitable<T>, failed: (error: unknown) => never): Awaitable<T> {
  try {
    return act();
  } catch (error) {
    return failed(error);
  }
}

/** What its reader does with a page is not the store's time. */
async function* measuredPages(
  pages: AsyncIterable<readonly Entry[]> | Iterable<readonly Entry[]>,
  meter: Counting,
): AsyncGenerator<readonly Entry[]> {
  let spentMs = 0;
  let outcome: Outcome = "ok";
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
    const lastMs = Math.max(0, performance.now() - beganMs);
    note(meter, "read", outcome, performance.now() - spentMs - lastMs);
  }
}

function note(meter: Counting, operation: Operation, outcome: Outcome, beganMs: number): void {
  meter.add("storeOperations", operations[operation][outcome]);
  meter.time("storeOperation", operation, (performance.now() - beganMs) / 1000);
}

function noteWritten(meter: Counting, entries: readonly NewEntry[]): void {
  if (entries.length === 0) return;
  // Bytes would have each text looked through once more.
  let chars = 0;
  for (const { data } of entries) chars += data.length;
  meter.add("storeEntries", "", entries.length);
  meter.add("storeChars", "", chars);
}

/** A rule of ours has refused it, or it could not be done. */
function outcomeOf(error: unknown): "refused" | "failed" {
  const isStores =
    !isSidecarError(error) || error.code.startsWith("STORE_") || error.code === "DECRYPT_FAILED";
  return isStores && !isSidecarError(error, "STORE_CONFLICT") ? "failed" : "refused";
}
