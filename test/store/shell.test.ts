import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import type { NewEntry, SessionPatch, SessionRecord, Store } from "../../src/store/contract.ts";
import { deferStore } from "../../src/store/deferred.ts";
import type { StoreDriver } from "../../src/store/driver.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { defineStore, wrapStore } from "../../src/store/shell.ts";
import { storeConformance } from "../conformance/suite.ts";
import { aJournal, anEntry, aRequest, aSession, pagesOf, someEntries } from "../conformance/samples.ts";

/** A driver of which a test gives what it calls. */
function driverWith(operations: Partial<StoreDriver>): StoreDriver {
  return {
    ...(operations as StoreDriver),
    name: "mine",
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
  };
}

/** Promises that settle when the test says so, in the order in which they were asked for. */
function held<T>() {
  const waiting: ((value: T) => void)[] = [];
  return {
    next: () => new Promise<T>((resolve) => waiting.push(resolve)),
    settle: (value: T) => waiting.shift()?.(value),
    get asked() {
      return waiting.length;
    },
  };
}

/** What is due in this turn of the event loop has happened. */
const soon = () => new Promise((resolve) => setImmediate(resolve));

storeConformance(
  { describe, it },
  {
    name: "a memory store whose driver answers later",
    open: async () => defineStore(lateDriver(openMemoryStore())),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
  },
);

/** Waits before each write for as long as it likes, and longer for some than for others. */
function lateDriver(inner: Store): StoreDriver {
  let calls = 0;
  const late = async <T>(act: () => Promise<T>): Promise<T> => {
    calls += 1;
    for (let turns = calls % 3; turns > 0; turns -= 1) await soon();
    return act();
  };
  return {
    name: inner.name,
    capabilities: inner.capabilities,
    queuesWrites: true,
    create: (session) => late(() => inner.create(session)),
    get: (id) => inner.get(id),
    update: (id, patch, lease) => late(() => inner.update(id, patch, lease)),
    delete: (id, lease) => late(() => inner.delete(id, lease)),
    list: (query) => inner.list(query),
    count: (filter) => inner.count(filter),
    append: (id, after, entries, lease) => late(() => inner.append(id, after, entries, lease)),
    seal: (id, range, entries, lease) => late(() => inner.seal(id, range, entries, lease)),
    read: (id, range) => inner.read(id, range),
    acquire: (id, request) => late(() => inner.acquire(id, request)),
    renew: (lease) => late(() => inner.renew(lease)),
    release: (lease) => late(() => inner.release(lease)),
    flush: () => inner.flush(),
    stats: () => inner.stats(),
    close: async (queued) => {
      await queued;
      await inner.close();
    },
  };
}

describe("a store made by defineStore", () => {
  it("gives what the driver has at once, and what it promises", async () => {
    const record = { id: aSession().id } as SessionRecord;
    const store = defineStore(driverWith({ get: () => record, count: async () => 3 }));
    expect(await store.get(record.id)).toBe(record);
    expect(await store.count()).toBe(3);
  });

  it("rejects when the driver throws, and never throws itself", async () => {
    const fails = () => {
      throw new SidecarError("SESSION_NOT_FOUND", "none");
    };
    const store = defineStore(driverWith({ get: fails, create: fails }));
    await expect(store.get(aSession().id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await expect(store.create(undefined as never)).rejects.toThrow();
  });

  it("tells every failure in the driver's words, of sessions by their id, also in the middle of a read", async () => {
    const { id } = aSession();
    const failure = new Error("EIO");
    const store = defineStore(
      driverWith({
        get: () => Promise.reject(failure),
        count: () => {
          throw failure;
        },
        read: async function* () {
          yield [{ seq: 1, ...anEntry("a") }];
          throw failure;
        },
        close: () => Promise.reject(failure),
        toStoreError: (error, sessionId) => new SidecarError("STORE_FAILED", `${String(error)} ${sessionId}`),
      }),
    );
    const message = `Error: EIO ${id}`;
    await expect(store.get(id)).rejects.toMatchObject({ code: "STORE_FAILED", message });
    await expect(pagesOf(store, id)).rejects.toMatchObject({ code: "STORE_FAILED", message });
    await expect(store.count()).rejects.toMatchObject({ message: "Error: EIO undefined" });
    await expect(store.close()).rejects.toMatchObject({ code: "STORE_FAILED" });
  });

  it("asks a read for entries from 1 on without an end, unless told", async () => {
    const asked: unknown[] = [];
    const store = defineStore(driverWith({ read: (_id, range) => (asked.push(range), []) }));
    const { id } = aSession();
    await pagesOf(store, id);
    await pagesOf(store, id, { from: -3, through: 7 });
    expect(asked).toEqual([
      { from: 1, through: Infinity },
      { from: 1, through: 7 },
    ]);
  });

  it("closes once, however often it is asked, and tells each who asks when that is done", async () => {
    const closing = held<void>();
    const store = defineStore(driverWith({ close: () => closing.next() }));
    const asked = [store.close(), store.close()];
    expect(closing.asked).toBe(1);
    closing.settle();
    await Promise.all([...asked, store.close()]);
    expect(closing.asked).toBe(0);
  });

  it("breaks off a read that goes on after the close", async () => {
    const pages = [[{ seq: 1, ...anEntry("a") }], [{ seq: 2, ...anEntry("b") }]];
    const store = defineStore(driverWith({ read: () => pages, close: () => undefined }));
    const reading = store.read(aSession().id)[Symbol.asyncIterator]();
    expect(await reading.next()).toMatchObject({ value: pages[0] });
    await store.close();
    await expect(reading.next()).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });
});

describe("a store whose driver waits before it writes", () => {
  it("begins a write when the one before it to the same session has ended, however it ended", async () => {
    const writes = held<SessionRecord>();
    const titles: unknown[] = [];
    const store = defineStore(
      driverWith({
        queuesWrites: true,
        update: async (_id, { title }) => {
          titles.push(title);
          const record = await writes.next();
          if (title === "first") throw new SidecarError("STORE_FAILED", "no");
          return record;
        },
      }),
    );
    const [a, b] = [aSession().id, aSession().id];
    const first = store.update(a, { title: "first" });
    const second = store.update(a, { title: "second" });
    const other = store.update(b, { title: "other" });
    expect(titles).toEqual(["first", "other"]);
    writes.settle({} as SessionRecord);
    await expect(first).rejects.toMatchObject({ code: "STORE_FAILED" });
    await soon();
    expect(titles).toEqual(["first", "other", "second"]);
    writes.settle({} as SessionRecord);
    writes.settle({} as SessionRecord);
    await Promise.all([second, other]);
  });

  it("writes what it was given when it was asked, whatever the caller does with it then", async () => {
    const writes = held<number>();
    const written: unknown[] = [];
    const store = defineStore(
      driverWith({
        queuesWrites: true,
        update: async (_id, patch) => ({ ...(await writes.next(), {}), patch }) as never,
        append: (_id, _after, entries, lease) => written.push(entries, lease.turnRunning),
      }),
    );
    const { id } = aSession();
    const patch: { -readonly [K in keyof SessionPatch]: SessionPatch[K] } = { metadata: { a: 1 } };
    const updated = store.update(id, patch);
    const entries: NewEntry[] = [anEntry("a")];
    const lease = { sessionId: id, fence: 1, ttlMs: 1000, turnRunning: false } as never as {
      turnRunning: boolean;
    };
    const appended = store.append(id, 0, entries, lease as never);
    patch.metadata = { a: 2 };
    entries.push(anEntry("b"));
    lease.turnRunning = true;
    writes.settle(1);
    expect(await updated).toEqual({ patch: { metadata: { a: 1 } } });
    await appended;
    expect(written).toEqual([[anEntry("a")], false]);
  });

  it("carries out what waits when it is closed, and tells the driver when that is done", async () => {
    const writes = held<boolean>();
    const ended: string[] = [];
    const store = defineStore(
      driverWith({
        queuesWrites: true,
        delete: async () => {
          const result = await writes.next();
          ended.push("write");
          return result;
        },
        close: async (queued) => {
          await queued;
          ended.push("close");
        },
      }),
    );
    const { id } = aSession();
    const deleted = [store.delete(id), store.delete(id)];
    const closed = store.close();
    await expect(store.delete(id)).rejects.toMatchObject({ code: "STORE_CLOSED" });
    writes.settle(true);
    await soon();
    writes.settle(false);
    expect(await Promise.all(deleted)).toEqual([true, false]);
    await closed;
    expect(ended).toEqual(["write", "write", "close"]);
  });
});

describe("a store made by wrapStore", () => {
  storeConformance(
    { describe, it },
    {
      name: "a memory store in a wrapping that changes nothing",
      open: async () => wrapStore(openMemoryStore(), {}),
      capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
    },
  );

  it("does as the inner one, but for what is overridden, and closes it", async () => {
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      name: "louder",
      append: (id, after, entries, lease) =>
        inner.append(
          id,
          after,
          entries.map((entry) => ({ ...entry, data: entry.data.toUpperCase() })),
          lease,
        ),
    });
    expect([store.name, store.capabilities]).toEqual(["louder", inner.capabilities]);
    const { id } = await aJournal(store, 1);
    const [entry] = someEntries(1);
    expect(await pagesOf(inner, id)).toEqual([[{ seq: 1, ...entry, data: entry?.data.toUpperCase() }]]);
    await store.close();
    await expect(inner.get(id)).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });
});

describe("a deferred store", () => {
  storeConformance(
    { describe, it },
    {
      name: "a memory store that is opened by the first call",
      open: async () => deferStore("memory", async () => openMemoryStore()),
      capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
    },
  );

  it("opens once for all that ask at the same time, and keeps their order", async () => {
    const opening = held<Store>();
    const store = deferStore("memory", () => opening.next());
    store.begin();
    const session = aSession();
    const calls = [store.create(session), store.acquire(session.id, aRequest()), store.get(session.id)];
    expect(opening.asked).toBe(1);
    opening.settle(openMemoryStore());
    const [, , record] = await Promise.all(calls);
    expect(record).toMatchObject({ id: session.id, lease: { fence: 1 } });
  });

  it("opens again for the next call when that failed, and tells the ones that waited", async () => {
    let tries = 0;
    const store = deferStore("memory", async () => {
      tries += 1;
      if (tries === 1) throw new SidecarError("STORE_UNAVAILABLE", "not yet");
      return openMemoryStore();
    });
    store.begin();
    await expect(store.count()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await store.count()).toBe(0);
    expect(tries).toBe(2);
  });

  it("opens nothing to be flushed or closed, nor once it is closed", async () => {
    let tries = 0;
    const store = deferStore("memory", async () => ((tries += 1), openMemoryStore()));
    await store.flush();
    await store.close();
    store.begin();
    await expect(store.count()).rejects.toMatchObject({ code: "STORE_CLOSED" });
    expect(tries).toBe(0);
  });

  it("closes what is being opened when it is open", async () => {
    const opening = held<Store>();
    const inner = openMemoryStore();
    const store = deferStore("memory", () => opening.next());
    store.begin();
    const closed = store.close();
    opening.settle(inner);
    await closed;
    await expect(inner.count()).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });
});
