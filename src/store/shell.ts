/** What is the same in every store, around a driver's operations; and how a store is made of another one. */
import type { SessionId } from "../base/ids.ts";
import { promiseOf, type Awaitable } from "../base/awaitable.ts";
import { checkWrite, given } from "./arguments.ts";
import type {
  Acquired,
  Entry,
  EntryRange,
  Lease,
  LeaseRequest,
  NewEntry,
  NewSession,
  Page,
  SealRange,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  Store,
  StoreCapabilities,
  StoreStats,
} from "./contract.ts";
import type { TextIndex } from "./text-index.ts";
import { forwarding, queueing, translating } from "./decorate.ts";
import type { StoreDriver } from "./driver.ts";
import { changingMetadata } from "./whole-metadata.ts";
import { holdsPacked } from "./packed-kind.ts";
import type { PageUnpacker } from "./packed-pages.ts";
import { readOne } from "./reading.ts";
import { cannotRewrite, storeClosed } from "./refusals.ts";

/**
 * A store of a driver's operations. It refuses calls when it is closed and closes once, lets the writes to a session
 * happen in the order of the calls, and tells the medium's failures in the contract's codes.
 */
export function defineStore(driver: StoreDriver): Store {
  given.driver(driver);
  const changing = driver.changesMetadata === true ? driver : changingMetadata(driver);
  const told = driver.toStoreError === undefined ? changing : translating(changing);
  return new Shell(driver.queuesWrites === true ? queueing(told) : told);
}

/**
 * A store that does what `inner` does, except for `overrides`, which call `inner` where they want it. It closes `inner`.
 * @param inner the store, or what gives it for each call: then `overrides` say what it is called and capable of
 */
export function wrapStore(inner: Store, overrides: Partial<StoreDriver>): Store;
export function wrapStore(
  inner: () => Awaitable<Store>,
  overrides: Partial<StoreDriver> & Pick<StoreDriver, "name" | "capabilities">,
): Store;
export function wrapStore(inner: Store | (() => Awaitable<Store>), overrides: Partial<StoreDriver>): Store {
  return defineStore(forwarding(given.inner(inner), given.overrides(overrides)));
}

class Shell implements Store {
  readonly #driver: StoreDriver;
  #closing: Promise<void> | undefined;

  constructor(driver: StoreDriver) {
    this.#driver = driver;
  }

  get name(): string {
    return this.#driver.name;
  }

  get capabilities(): StoreCapabilities {
    return this.#driver.capabilities;
  }

  get recovered(): string | undefined {
    return this.#driver.recovered;
  }

  async create(session: NewSession): Promise<SessionRecord> {
    return this.#open().create(given.session(session));
  }

  get(id: SessionId): Promise<SessionRecord | undefined> {
    return promiseOf(() => this.#open().get(given.id(id)));
  }

  async update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord> {
    return this.#open().update(
      given.id(id),
      given.patch(patch),
      lease === undefined ? lease : given.lease(lease),
    );
  }

  async delete(id: SessionId, lease?: Lease): Promise<boolean> {
    return this.#open().delete(given.id(id), lease === undefined ? lease : given.lease(lease));
  }

  async list(query: SessionQuery = {}): Promise<Page<SessionRecord>> {
    return this.#open().list(given.query(query));
  }

  async count(filter: SessionFilter = {}): Promise<number> {
    return this.#open().count(given.query(filter));
  }

  append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    return promiseOf(() => {
      const driver = this.#open();
      checkWrite(id, entries, lease);
      return driver.append(id, given.after(after), entries, lease);
    });
  }

  seal(id: SessionId, range: SealRange, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    return promiseOf(() => {
      const driver = this.#open();
      checkWrite(id, entries, lease);
      return driver.seal(id, given.range(range), entries, lease);
    });
  }

  async *read(id: SessionId, range: EntryRange = {}): AsyncGenerator<readonly Entry[]> {
    const driver = this.#open();
    const { from = 1, through = Infinity } = given.readRange(range);
    let unpacker: PageUnpacker | undefined;
    for await (const page of driver.read(given.id(id), { from: Math.max(from, 1), through })) {
      this.#open();
      if (holdsPacked(page)) {
        unpacker ??= await this.#unpacker(id);
        yield* unpacker.pagesOf(page);
      } else yield page;
      this.#open();
    }
  }

  async rewrite(id: SessionId, from: number, entries: readonly NewEntry[], lease: Lease): Promise<void> {
    const driver = this.#open();
    checkWrite(id, entries, lease);
    if (driver.rewrite === undefined) throw cannotRewrite(this.name);
    // They may be changed by whoever gave them, while what is packed is looked for.
    const wanted = { from: given.after(from), entries: entries.map((entry) => ({ ...entry })) };
    const { inWholeRuns } = await import("./whole-runs.ts");
    const whole = await inWholeRuns(driver, id, wanted);
    return this.#open().rewrite?.(id, whole.from, whole.entries, { ...lease });
  }

  async compress(id: SessionId, lease: Lease): Promise<void> {
    const driver = this.#open();
    const held = given.lease(lease);
    if (driver.compress !== undefined) return driver.compress(given.id(id), held);
    if (driver.rewrite === undefined) return;
    const { compressSession } = await import("./compress.ts");
    return compressSession(driver, (...args) => this.#open().rewrite?.(...args), given.id(id), held);
  }

  async acquire(id: SessionId, request: LeaseRequest): Promise<Acquired> {
    return this.#open().acquire(given.id(id), given.request(request));
  }

  async renew(lease: Lease): Promise<Lease> {
    return this.#open().renew(given.lease(lease));
  }

  async release(lease: Lease): Promise<void> {
    return this.#open().release(given.lease(lease));
  }

  flush(): Promise<void> {
    return promiseOf(() => this.#open().flush());
  }

  async stats(): Promise<StoreStats> {
    return this.#open().stats();
  }

  async identity(): Promise<string | undefined> {
    return this.#open().identity?.();
  }

  async changeMark(): Promise<string | undefined> {
    return this.#open().changeMark?.();
  }

  async textIndex(): Promise<TextIndex | undefined> {
    return this.#open().textIndex?.();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Loaded late, because few stores hold what is packed. */
  async #unpacker(id: SessionId): Promise<PageUnpacker> {
    const { PageUnpacker } = await import("./packed-pages.ts");
    return new PageUnpacker(id, (seq) => readOne(this.#open(), id, seq));
  }

  async #close(): Promise<void> {
    await this.#driver.close(Promise.resolve());
  }

  #open(): StoreDriver {
    if (this.#closing !== undefined) throw storeClosed(this.name);
    return this.#driver;
  }
}
