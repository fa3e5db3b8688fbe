/** Forks of file stores, where several processes and many generations meet. */
import fs from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { inspectFileStore, repairFileStore } from "../../../src/care/file/repair.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import type { Store } from "../../../src/store/contract.ts";
import {
  aJournal,
  aSession,
  entriesOf,
  leaseOf,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import { aDirectory, folderOf, using } from "./sandbox.ts";

const forkOf = (store: Store, parentId: SessionId, atSeq: number) =>
  store.create(aSession({ lineage: { parentId, atSeq } }));

describe("a fork of a session that another process deletes", () => {
  it("has its history, also when it was only entered in its parent so far", async () => {
    const directory = aDirectory();
    const [forker, deleter] = [await openFileStore({ directory }), await openFileStore({ directory })];
    const { id } = await aJournal(forker, 3);
    const forking = forkOf(forker, id, 2);
    expect(await deleter.delete(id)).toBe(true);
    const fork = await forking;
    for (const store of [forker, deleter]) expect(await entriesOf(store, fork.id)).toHaveLength(2);
    expect(await deleter.delete(fork.id)).toBe(true);
    expect(fs.existsSync(folderOf(directory, id))).toBe(false);
    await Promise.all([forker.close(), deleter.close()]);
  });

  it("is refused once that is gone, though its file is still open here", async () => {
    const directory = aDirectory();
    const [forker, deleter] = [await openFileStore({ directory }), await openFileStore({ directory })];
    const { id } = await aJournal(forker, 3);
    await deleter.delete(id);
    await rejectsWith("SESSION_NOT_FOUND", forkOf(forker, id, 2));
    expect((await forker.list()).items).toEqual([]);
    await Promise.all([forker.close(), deleter.close()]);
  });
});

describe("a fork whose parent is missing", () => {
  it("is damaged, which is no lost session and no lost lease; a repair makes it a session of its own", async () => {
    const directory = aDirectory();
    const fork = await using(directory, async (store) => {
      const { id: parentId } = await aJournal(store, 3);
      const { id } = await forkOf(store, parentId, 2);
      await store.append(id, 2, someEntries(2, 3), await leaseOf(store, id));
      fs.rmSync(folderOf(directory, parentId), { recursive: true });
      return id;
    });
    await using(directory, async (store) => {
      await expect(entriesOf(store, fork)).rejects.toMatchObject({
        code: "STORE_CORRUPT",
        data: { sessionId: fork, seq: 1 },
      });
      expect(await entriesOf(store, fork, { from: 3 })).toHaveLength(2);
      await store.append(fork, 4, someEntries(1, 5), await leaseOf(store, fork));
    });
    const { damage } = await inspectFileStore(directory);
    expect(damage).toMatchObject([{ sessionId: fork, entries: { from: 1, through: 2 } }]);
    expect((await repairFileStore(directory)).damage).toEqual(damage);
    expect((await inspectFileStore(directory)).damage).toEqual([]);
    await using(directory, async (store) => {
      const entries = await entriesOf(store, fork);
      expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
      expect(entries.slice(2).map(({ data }) => data)).toEqual(someEntries(3, 3).map(({ data }) => data));
      expect((await store.get(fork))?.lineage).toBeUndefined();
    });
  });
});

describe("a fork of a fork", () => {
  it("costs the same in every generation, and is read through all of them", async () => {
    const directory = aDirectory();
    await using(directory, async (store) => {
      let { id } = await aJournal(store, 1);
      const opened = vi.spyOn(fs, "openSync");
      const costs: number[] = [];
      for (let depth = 1; depth <= 300; depth += 1) {
        opened.mockClear();
        ({ id } = await forkOf(store, id, 1));
        costs.push(opened.mock.calls.length);
      }
      opened.mockRestore();
      expect(new Set(costs.slice(1)).size).toBe(1);
      expect(await entriesOf(store, id)).toHaveLength(1);
    });
  });
});
