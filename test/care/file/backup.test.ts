import { describe, expect, it } from "vitest";
import { backupFileStore } from "../../../src/care/file/backup.ts";
import { inspectFileStore } from "../../../src/care/file/repair.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import { aJournal, aSession, entriesOf, rejectsWith, someEntries } from "../../conformance/samples.ts";
import { aDirectory, rotating, using } from "../../store/file/sandbox.ts";

describe("a backup", () => {
  it("is made while the store is written to, and is a store with all that was there", async () => {
    const directory = aDirectory();
    const store = await openFileStore({ directory, ...rotating });
    const { id, lease } = await aJournal(store, 50);
    const fork = await store.create(aSession({ lineage: { parentId: id, atSeq: 20 } }));
    const { id: dropped } = await aJournal(store, 3);
    const forkOfDropped = await store.create(aSession({ lineage: { parentId: dropped, atSeq: 2 } }));
    await store.delete(dropped);
    const target = aDirectory();
    const [backup] = await Promise.all([
      backupFileStore(directory, target),
      ...Array.from({ length: 20 }, (_, i) => store.append(id, 50 + i, someEntries(1, 51 + i), lease)),
    ]);
    expect(backup.sessions).toBe(4);
    await store.close();
    expect((await inspectFileStore(target)).damage).toEqual([]);
    await using(target, async (copy) => {
      const entries = await entriesOf(copy, id);
      expect(entries.length).toBeGreaterThanOrEqual(50);
      expect(entries.map(({ data }) => data)).toEqual(someEntries(entries.length).map(({ data }) => data));
      expect((await entriesOf(copy, fork.id)).length).toBe(20);
      expect((await entriesOf(copy, forkOfDropped.id)).length).toBe(2);
      expect(await copy.get(dropped)).toBeUndefined();
      expect(await copy.count()).toBe(3);
    });
    await rejectsWith("STORE_CONFLICT", backupFileStore(directory, target));
    await rejectsWith("STORE_UNAVAILABLE", backupFileStore(aDirectory(), aDirectory()));
  });
});
