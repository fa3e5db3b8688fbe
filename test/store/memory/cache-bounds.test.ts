/** What bounds a cache: time to live, sessions, bytes. */
import { describe, expect, it } from "vitest";
import { openCacheStore } from "../../../src/store/memory/cache.ts";
import {
  aJournal,
  anEntry,
  aSession,
  entriesOf,
  leaseOf,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";

const aClock = () => {
  let nowMs = 1000;
  return { now: () => nowMs, pass: (ms: number) => (nowMs += ms) };
};

describe("expiry in a cache", () => {
  it("comes ttlMs after the last write, and reading does not put it off", async () => {
    const clock = aClock();
    const store = openCacheStore({ ttlMs: 100, clock });
    const { id } = await store.create(aSession());
    clock.pass(60);
    await store.get(id);
    clock.pass(41);
    expect(await store.get(id)).toBeUndefined();
    expect((await store.stats()).details).toMatchObject({ expirations: 1, evictions: 0, hits: 1, misses: 1 });
    await store.close();
  });

  it("is put off by every kind of write", async () => {
    const clock = aClock();
    const store = openCacheStore({ ttlMs: 100, clock });
    const { id } = await store.create(aSession());
    let lease = await leaseOf(store, id);
    const writes = [
      () => store.update(id, { title: "t" }),
      () => store.append(id, 0, someEntries(2), lease),
      () => store.seal(id, { from: 3, head: 2 }, [], lease),
      async () => (lease = await store.renew(lease)),
      () => store.release(lease),
    ];
    for (const write of writes) {
      clock.pass(90);
      await write();
    }
    clock.pass(90);
    expect((await entriesOf(store, id)).length).toBe(2);
    clock.pass(11);
    await rejectsWith("SESSION_NOT_FOUND", store.update(id, {}));
    expect(await store.list()).toEqual({ items: [] });
    await store.close();
  });

  it("does not come at all with a ttlMs of 0", async () => {
    const clock = aClock();
    const store = openCacheStore({ ttlMs: 0, clock });
    const { id } = await store.create(aSession());
    clock.pass(1e12);
    expect(await store.get(id)).toBeDefined();
    await store.close();
  });
});

describe("a full cache", () => {
  it("lets the session go that was used least lately, for one more", async () => {
    const store = openCacheStore({ maxSessions: 2 });
    const [a, b] = [await store.create(aSession()), await store.create(aSession())];
    await store.get(a.id);
    const c = await store.create(aSession());
    expect(await store.get(b.id)).toBeUndefined();
    expect((await store.list()).items.map(({ id }) => id)).toEqual([c.id, a.id]);
    expect(await store.count()).toBe(2);
    expect((await store.stats()).details).toMatchObject({ evictions: 1, hits: 1, misses: 1 });
    const again = await store.create({ ...aSession(), id: b.id });
    expect(again.id).toBe(b.id);
    await store.close();
  });

  it("counts bytes: a session that grows pushes others out, and leaves room when it is sealed or deleted", async () => {
    const store = openCacheStore({ maxBytes: 98_000 });
    const { id: first } = await aJournal(store, 10);
    const { id, lease } = await aJournal(store, 0);
    const large = anEntry("x".repeat(10_000));
    for (let head = 0; head < 9; head += 1) await store.append(id, head, [large], lease);
    expect(await store.get(first)).toBeDefined();
    const before = (await store.stats()).details?.["accountedBytes"];
    expect(before).toBeGreaterThan(90_000);
    await store.update(id, { title: "t".repeat(5000) });
    expect(await store.get(first)).toBeUndefined();
    await store.seal(id, { from: 1, head: 9 }, [anEntry("all")], lease);
    expect((await store.stats()).details?.["accountedBytes"]).toBeLessThan(15_000);
    await store.delete(id);
    expect((await store.stats()).details?.["accountedBytes"]).toBe(0);
    await store.close();
  });

  it("refuses what alone is too large, and the session stays as it was", async () => {
    const store = openCacheStore({ maxBytes: 20_000 });
    const { id, lease } = await aJournal(store, 2);
    await rejectsWith("STORE_FULL", store.append(id, 2, [anEntry("x".repeat(20_000))], lease));
    expect((await entriesOf(store, id)).length).toBe(2);
    await rejectsWith("STORE_FULL", store.update(id, { title: "t".repeat(20_000) }));
    expect((await store.get(id))?.title).toBeUndefined();
    await rejectsWith("STORE_FULL", store.create(aSession({ title: "t".repeat(20_000) })));
    expect(await store.count()).toBe(1);
    await store.close();
  });

  it("lets a fork outlive its parent", async () => {
    const store = openCacheStore({ maxSessions: 2 });
    const { id: parentId } = await aJournal(store, 5);
    const { id } = await store.create(aSession({ lineage: { parentId, atSeq: 3 } }));
    await store.create(aSession());
    expect(await store.get(parentId)).toBeUndefined();
    expect((await entriesOf(store, id)).length).toBe(3);
    await store.close();
  });
});
