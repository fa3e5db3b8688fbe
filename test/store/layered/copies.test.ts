import { describe, expect, it } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { openCacheStore } from "../../../src/store/memory/cache.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import { openLayeredStore } from "../../../src/store/layered/store.ts";
import { openLayers } from "../../../src/store/open.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { checkStoreUrl, openStore } from "../../../src/store/open.ts";
import {
  aJournal,
  anEntry,
  aSession,
  entriesOf,
  leaseOf,
  mustGet,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import { breakable } from "../breakable.ts";
import { aDirectory, aSignal, data, layered, textsOf } from "./sandbox.ts";

describe("writes through a layered store", () => {
  it("reach every layer", async () => {
    const { store, fast, truth } = layered();
    const { id, lease } = await aJournal(store, 3);
    await store.append(id, 3, someEntries(2, 4), lease);
    await store.update(id, { title: "everywhere" });
    for (const layer of [fast.store, truth.store]) {
      expect(await textsOf(layer, id)).toEqual(data(5));
      expect((await mustGet(layer, id)).title).toBe("everywhere");
    }
    await store.seal(id, { from: 4, head: 5 }, [anEntry("entry 4")], lease);
    for (const layer of [fast.store, truth.store]) expect(await textsOf(layer, id)).toEqual(data(4));
    await store.delete(id);
    for (const layer of [fast.store, truth.store]) expect(await layer.get(id)).toBeUndefined();
    await store.close();
  });

  it("are acknowledged by the truth: what it refuses has happened nowhere", async () => {
    const { store, fast, truth } = layered();
    const { id, lease } = await aJournal(store, 2);
    truth.isBroken = true;
    await rejectsWith("STORE_UNAVAILABLE", store.append(id, 2, someEntries(1, 3), lease));
    await rejectsWith("STORE_UNAVAILABLE", store.update(id, { title: "no" }));
    await rejectsWith("STORE_UNAVAILABLE", store.create(aSession()));
    await rejectsWith("STORE_UNAVAILABLE", store.list());
    truth.isBroken = false;
    expect(await textsOf(store, id)).toEqual(data(2));
    expect((await mustGet(store, id)).title).toBeUndefined();
    expect(await fast.store.count()).toBe(1);
    expect(await store.append(id, 2, someEntries(1, 3), lease)).toBe(3);
    expect(await textsOf(store, id)).toEqual(data(3));
    await store.close();
  });

  it("of which the truth's answer was lost are looked up, not guessed", async () => {
    const { store, truth } = layered();
    const { id, lease } = await aJournal(store, 2);
    await store.get(id);
    truth.after = async () => {
      throw new SidecarError("STORE_UNAVAILABLE", "The connection broke before the answer");
    };
    await rejectsWith("STORE_UNAVAILABLE", store.append(id, 2, someEntries(1, 3), lease));
    await rejectsWith("STORE_UNAVAILABLE", store.update(id, { title: "taken" }));
    truth.after = undefined;
    expect(await mustGet(store, id)).toMatchObject({ title: "taken", headSeq: 3 });
    expect(await textsOf(store, id)).toEqual(data(3));
    await store.close();
  });
});

describe("reads through a layered store", () => {
  it("find what a faster layer misses in the next one, and write it back", async () => {
    const { store, fast, truth } = layered();
    const { id } = await aJournal(truth.store, 1200, { title: "old" });
    expect(await textsOf(store, id)).toEqual(data(1200));
    expect(await textsOf(fast.store, id)).toEqual(data(1200));
    expect((await mustGet(fast.store, id)).title).toBe("old");
    // From now on the faster layer answers alone.
    truth.isBroken = true;
    expect(await mustGet(store, id)).toMatchObject({ title: "old", headSeq: 1200, sealedSeq: 1200 });
    expect(await textsOf(store, id)).toEqual(data(1200));
    expect((await entriesOf(store, id, { from: 700, through: 710 })).length).toBe(11);
    const { hits, misses } = { hits: "1.memory.hits", misses: "1.memory.misses" };
    truth.isBroken = false;
    const details = (await store.stats()).details ?? {};
    expect([details[misses], details[hits], details["1.memory.writeBacks"]]).toEqual([1, 3, 1]);
    await store.close();
  });

  it("write back into every faster layer, and fill them again when they have let go", async () => {
    let nowMs = 1;
    const cache = openCacheStore({ ttlMs: 100, clock: { now: () => nowMs } });
    const [middle, truth] = [openMemoryStore(), breakable(openMemoryStore())];
    const store = openLayeredStore({ layers: [cache, middle, truth.store] });
    const { id } = await aJournal(truth.store, 5);
    await entriesOf(store, id);
    expect([await textsOf(cache, id), await textsOf(middle, id)]).toEqual([data(5), data(5)]);
    nowMs += 101;
    expect(await cache.get(id)).toBeUndefined();
    truth.isBroken = true;
    expect(await textsOf(store, id)).toEqual(data(5));
    expect(await cache.get(id)).toBeDefined();
    await store.close();
  });

  it("give the truth's leases, fences and lineage, not those of a copy", async () => {
    const { store, truth } = layered();
    const { id } = await aJournal(truth.store, 5);
    for (let i = 0; i < 3; i += 1) await leaseOf(truth.store, id);
    const fork = await truth.store.create(aSession({ lineage: { parentId: id, atSeq: 3 } }));
    for (const each of [id, fork.id]) {
      await entriesOf(store, each);
      expect(await store.get(each)).toEqual(await truth.store.get(each));
    }
    expect((await mustGet(store, id)).lease?.fence).toBe(4);
    const before = truth.calls["read"];
    expect(await textsOf(store, fork.id)).toEqual(data(3));
    expect(truth.calls["read"]).toBe(before);
    await store.close();
  });

  it("go on with the truth when a session is too large for a faster layer", async () => {
    const { store, fast } = layered({ fast: openCacheStore({ maxBytes: 20_000 }) });
    const { id, lease } = await aJournal(store, 10);
    await store.append(id, 10, [anEntry("x".repeat(50_000)), anEntry("y")], lease);
    expect((await entriesOf(store, id)).length).toBe(12);
    await store.seal(id, { from: 13, head: 12 }, [], lease);
    expect((await entriesOf(store, id)).length).toBe(12);
    expect((await store.stats()).details).toMatchObject({ "1.cache.state": "up", "1.cache.failures": 0 });
    expect((await entriesOf(fast.store, id)).length).toBeLessThan(12);
    await store.close();
  });

  it("write nothing back that a write has overtaken", async () => {
    const { store, truth } = layered();
    const { id } = await aJournal(truth.store, 2, { title: "old" });
    const [asked, answered] = [aSignal(), aSignal()];
    truth.after = async (name) => {
      if (name !== "get") return;
      asked.give();
      await answered.given;
    };
    const reading = store.get(id);
    await asked.given;
    await store.update(id, { title: "new" });
    truth.after = undefined;
    answered.give();
    expect((await reading)?.title).toBe("old");
    expect((await mustGet(store, id)).title).toBe("new");
    await store.close();
  });

  it("write nothing back from a layer in the middle that a write has overtaken", async () => {
    const [fast, middle] = [openMemoryStore(), breakable(openMemoryStore())];
    const store = openLayeredStore({ layers: [fast, middle.store, openMemoryStore()] });
    const { id, lease } = await aJournal(store, 2, { title: "old" });
    await store.get(id);
    // The first layer has let go of it.
    await fast.delete(id);
    const [asked, answered] = [aSignal(), aSignal()];
    middle.after = async (name) => {
      if (name !== "get") return;
      asked.give();
      await answered.given;
    };
    const reading = store.get(id);
    await asked.given;
    middle.after = undefined;
    await store.update(id, { title: "new" });
    await store.append(id, 2, someEntries(1, 3), lease);
    answered.give();
    expect((await reading)?.headSeq).toBe(2);
    expect(await mustGet(store, id)).toMatchObject({ title: "new", headSeq: 3 });
    await store.close();
  });

  it("break off when the running turn that they were giving out is sealed", async () => {
    const { store } = layered();
    const { id, lease } = await aJournal(store, 3);
    await store.append(id, 3, someEntries(2000, 4), lease);
    const pages = store.read(id)[Symbol.asyncIterator]();
    await pages.next();
    await store.seal(id, { from: 4, head: 2003 }, [anEntry("all")], lease);
    await rejectsWith("STORE_CONFLICT", pages.next());
    expect((await entriesOf(store, id)).length).toBe(4);
    await store.close();
  });

  it("break off as well when the layer that gave it out has failed before", async () => {
    const { store, fast } = layered();
    const { id, lease } = await aJournal(store, 3);
    await store.append(id, 3, someEntries(2000, 4), lease);
    const pages = store.read(id)[Symbol.asyncIterator]();
    await pages.next();
    fast.isBroken = true;
    await store.seal(id, { from: 4, head: 2003 }, someEntries(1999, 4), lease);
    await rejectsWith("STORE_CONFLICT", pages.next());
    await store.close();
  });
});

describe("opening layers", () => {
  it("names the layer that cannot be opened, in one line and without its password", async () => {
    const url = (last: string) => `layered:${JSON.stringify(["memory:", last])}`;
    expect(() => checkStoreUrl(url("mongodb://:hunter2@h"))).toThrow(
      /^Layer 2 of the store: There is no store "mongodb:"; use one of [^\n]*$/,
    );
    const unreachable = openStore(url("postgres://me:hunter2@127.0.0.1:1/d"));
    await expect(unreachable).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringMatching(
        /^Layer 2 of the store: PostgreSQL at 127.0.0.1:1\/d cannot be reached [^\n]*$/,
      ) as string,
    });
    await expect(unreachable).rejects.not.toThrow(/hunter2/);
  });

  it("takes URLs and open stores, in code or as one URL", async () => {
    const directory = aDirectory();
    const first = await openLayers(["cache:?maxSessions=5", await openFileStore({ directory })]);
    const { id } = await aJournal(first, 3);
    await first.close();
    const second = await openStore(`layered:["memory:","file:${directory}"]`);
    expect(second.name).toBe("layered");
    expect(await textsOf(second, id)).toEqual(data(3));
    await second.close();
  });

  it("refuses what is no list of two, and closes what it was given", async () => {
    const given = openMemoryStore();
    await rejectsWith("CONFIG_INVALID", openLayers([given]));
    await rejectsWith("STORE_CLOSED", given.get(aSession().id));
    await rejectsWith("CONFIG_INVALID", openLayers(["memory:", "nothing:"]));
    await rejectsWith("CONFIG_INVALID", openStore("layered:memory:"));
    await rejectsWith("CONFIG_INVALID", openStore('layered:["memory:"]'));
  });
});
