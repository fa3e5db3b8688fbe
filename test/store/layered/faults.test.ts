import { describe, expect, it } from "vitest";
import {
  aHolder,
  aJournal,
  anEntry,
  entriesOf,
  leaseOf,
  mustGet,
  pagesOf,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import { data, layered, overFiles, textsOf } from "./sandbox.ts";

describe("a faster layer that fails", () => {
  it("is done without, is left alone for a while, and gives nothing old when it is back", async () => {
    const { store, fast, truth } = layered();
    const { id, lease } = await aJournal(store, 3, { title: "before" });
    const { id: gone } = await aJournal(store, 1);
    fast.isBroken = true;
    expect((await mustGet(store, id)).title).toBe("before");
    await store.update(id, { title: "meanwhile" });
    await store.append(id, 3, someEntries(2, 4), lease);
    await store.seal(id, { from: 4, head: 5 }, [anEntry("folded")], lease);
    await store.delete(gone);
    const { id: born } = await aJournal(store, 2);
    expect((await store.stats()).details?.["1.memory.lastFailure"]).toBe("The layer is out of reach");
    fast.isBroken = false;
    expect((await mustGet(fast.store, id)).title).toBe("before");
    expect((await mustGet(store, id)).title).toBe("meanwhile");
    expect(await textsOf(store, id)).toEqual([...data(3), anEntry("folded").data]);
    expect(await store.get(gone)).toBeUndefined();
    await rejectsWith("SESSION_NOT_FOUND", pagesOf(store, gone));
    expect(await textsOf(store, born)).toEqual(data(2));
    // Healed: it answers alone again.
    truth.isBroken = true;
    expect((await mustGet(store, id)).title).toBe("meanwhile");
    expect(await textsOf(store, id)).toEqual([...data(3), anEntry("folded").data]);
    await store.close();
  });

  it("may have lost writes, of any session, by the time it is back", async () => {
    const { store, fast } = layered();
    const { id } = await aJournal(store, 3, { title: "right" });
    const { id: other } = await aJournal(store, 1);
    await store.get(id);
    fast.isBroken = true;
    await store.get(other);
    fast.isBroken = false;
    await fast.store.update(id, { title: "restored from an old snapshot" });
    expect((await mustGet(store, id)).title).toBe("right");
    await store.close();
  });

  it("is not even asked before retryMs have passed", async () => {
    const { store, fast } = layered({ retryMs: 60_000 });
    const { id } = await aJournal(store, 3);
    fast.isBroken = true;
    await store.get(id);
    fast.isBroken = false;
    const before = { ...fast.calls };
    await store.update(id, { title: "t" });
    expect((await mustGet(store, id)).title).toBe("t");
    expect((await entriesOf(store, id)).length).toBe(3);
    expect(fast.calls).toEqual(before);
    expect((await store.stats()).details).toMatchObject({ "1.memory.state": "down", "1.memory.failures": 1 });
    await store.close();
  });

  it("may fail in the middle of a read, which goes on in the next layer", async () => {
    const { store, fast } = layered();
    const { id } = await aJournal(store, 2000);
    const seen: number[] = [];
    for await (const page of store.read(id)) {
      seen.push(...page.map(({ seq }) => seq));
      fast.isBroken = true;
    }
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
    await store.close();
  });
});

describe("a truth that others write to", () => {
  it("is asked for every record, so that nothing old is given", async () => {
    const { store, truth, other } = await overFiles();
    const { id, lease } = await aJournal(store, 3);
    await other.update(id, { title: "theirs" });
    expect((await mustGet(store, id)).title).toBe("theirs");
    await store.append(id, 3, someEntries(2, 4), lease);
    expect(await textsOf(store, id)).toEqual(data(5));
    // They take over and replace our running turn by one of the same length.
    const taken = await leaseOf(other, id, aHolder("other"));
    await other.seal(id, { from: 4, head: 5 }, [], taken);
    await other.append(id, 3, [anEntry("their 4"), anEntry("their 5")], taken);
    expect(await textsOf(store, id)).toEqual([...data(3), anEntry("their 4").data, anEntry("their 5").data]);
    await rejectsWith("LEASE_LOST", store.append(id, 5, someEntries(1, 6), lease));
    await other.seal(id, { from: 6, head: 5 }, [], taken);
    const reads = truth.calls["read"] ?? 0;
    expect((await entriesOf(store, id)).length).toBe(5);
    // Final now: copied by that read, and given from the copy by the next.
    expect((await entriesOf(store, id)).length).toBe(5);
    expect(truth.calls["read"]).toBe(reads + 1);
    await other.delete(id);
    expect(await store.get(id)).toBeUndefined();
    await rejectsWith("SESSION_NOT_FOUND", pagesOf(store, id));
    await Promise.all([store.close(), other.close()]);
  });

  it("has replaced a running turn that a copy still has, entry for entry", async () => {
    const { store, fast, other } = await overFiles();
    const { id, lease } = await aJournal(store, 3);
    await store.append(id, 3, someEntries(2, 4), lease);
    expect(await textsOf(fast.store, id)).toEqual(data(5));
    const taken = await leaseOf(other, id, aHolder("other"));
    await other.seal(id, { from: 4, head: 5 }, [], taken);
    await other.append(id, 3, [anEntry("their 4"), anEntry("their 5")], taken);
    expect(await textsOf(store, id)).toEqual([...data(3), anEntry("their 4").data, anEntry("their 5").data]);
    await Promise.all([store.close(), other.close()]);
  });

  it("is taken at its last word for freshForMs", async () => {
    const { store, truth, other } = await overFiles({ freshForMs: 60_000 });
    const { id } = await aJournal(store, 3);
    expect(await mustGet(store, id)).toEqual(await mustGet(other, id));
    const asked = truth.calls["get"];
    await other.update(id, { title: "theirs" });
    expect((await mustGet(store, id)).title).toBeUndefined();
    expect((await entriesOf(store, id)).length).toBe(3);
    expect(truth.calls["get"]).toBe(asked);
    // A write of ours learns what is so.
    expect((await store.update(id, { metadata: { a: 1 } })).title).toBe("theirs");
    await Promise.all([store.close(), other.close()]);
  });

  it("that cannot be reached is not replaced by what a copy says", async () => {
    const { store, truth, other } = await overFiles();
    const { id } = await aJournal(store, 3);
    truth.isBroken = true;
    await rejectsWith("STORE_UNAVAILABLE", store.get(id));
    truth.isBroken = false;
    expect((await entriesOf(store, id)).length).toBe(3);
    await Promise.all([store.close(), other.close()]);
  });
});
