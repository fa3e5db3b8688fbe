import fs from "node:fs";
import { join } from "node:path";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from "vitest";
import { syncDirectory } from "../../../../src/base/disk.ts";
import { WalSync } from "../../../../src/store/sql/sqlite/sync.ts";
import { aJournal, aSession, rejectsWith, someEntries } from "../../../conformance/samples.ts";
import { sqliteSandbox } from "./sandbox.ts";

vi.mock("../../../../src/base/disk.ts", { spy: true });

const { newPath, open } = sqliteSandbox();

// The real calls are made; they are only counted, for nothing else can be seen of a sync from here.
let datasync: MockInstance<typeof fs.fdatasync>;
const directorySync = vi.mocked(syncDirectory);

beforeEach(() => {
  datasync = vi.spyOn(fs, "fdatasync");
  directorySync.mockClear();
});
afterEach(() => datasync.mockRestore());

describe("flushing a SQLite store", () => {
  it("syncs the WAL after a write, its directory once, and nothing when nothing was written", async () => {
    const store = await open(newPath());
    const { id, lease } = await aJournal(store, 1);
    directorySync.mockClear();
    await store.flush();
    expect([datasync.mock.calls.length, directorySync.mock.calls.length]).toEqual([1, 1]);
    await store.flush();
    expect(datasync).toHaveBeenCalledTimes(1);
    await store.append(id, 1, someEntries(1, 2), lease);
    await store.flush();
    expect([datasync.mock.calls.length, directorySync.mock.calls.length]).toEqual([2, 1]);
  });

  it("lets calls that come during a sync share the next one", async () => {
    const store = await open(newPath());
    const { id, lease } = await aJournal(store, 0);
    const flushes: Promise<void>[] = [];
    for (let i = 0; i < 20; i += 1) {
      await store.append(id, i, someEntries(1, i + 1), lease);
      flushes.push(store.flush());
    }
    await Promise.all(flushes);
    expect(datasync.mock.calls.length).toBeLessThan(20);
    expect(datasync.mock.calls.length).toBeGreaterThan(1);
  });

  it("does not take a sync that began before the write for one of it", async () => {
    const store = await open(newPath());
    const { id, lease } = await aJournal(store, 0);
    const before = datasync.mock.calls.length;
    const first = store.flush();
    await store.append(id, 0, someEntries(1), lease);
    const second = store.flush();
    await Promise.all([first, second]);
    // One for what came before the write, and one for the write.
    expect(datasync.mock.calls.length).toBe(before + 2);
  });

  it("writes once more what a failed sync was to make safe, for the system may take it for written", async () => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 1);
    await store.flush();
    datasync.mockImplementationOnce((_, told) =>
      told(Object.assign(new Error("i/o error"), { code: "EIO" })),
    );
    expect(await store.append(id, 1, someEntries(1, 2), lease)).toBe(2);
    await rejectsWith("STORE_FAILED", store.flush());
    const before = await stat(`${path}-wal`, { bigint: true });
    await store.flush();
    const after = await stat(`${path}-wal`, { bigint: true });
    expect(after.mtimeNs).toBeGreaterThan(before.mtimeNs);
    expect(after.size).toBe(before.size);
    await store.close();
    expect((await (await open(path)).get(id))?.headSeq).toBe(2);
  });
});

describe("the sync of a WAL file", () => {
  it("is content when there is none, and fails for one that was deleted or replaced while it is open", async () => {
    const path = newPath();
    const wal = new WalSync(path, async (work) => work());
    await wal.flush();
    expect(datasync).not.toHaveBeenCalled();
    await writeFile(`${path}-wal`, "frames");
    wal.committed();
    await wal.flush();
    expect([datasync.mock.calls.length, directorySync.mock.calls.length]).toEqual([1, 1]);
    await writeFile(`${path}.new`, "frames");
    await rename(`${path}.new`, `${path}-wal`);
    wal.committed();
    for (let times = 0; times < 2; times += 1) await rejectsWith("STORE_FAILED", wal.flush());
    await wal.close();
  });

  it("acknowledges nothing that is written to a database whose folder was moved away, until it is back", async () => {
    const folder = `${newPath()}-folder`;
    const path = join(folder, "sessions.db");
    const store = await open(path);
    const { id, lease } = await aJournal(store, 1);
    const moved = {
      code: "STORE_FAILED",
      message: expect.stringContaining(`${path} was moved away while it is open`) as string,
    };
    // Before its first flush, and after one.
    for (const at of [1, 3]) {
      await rename(folder, `${folder}-elsewhere`);
      await store.append(id, at, someEntries(1, at + 1), lease);
      await expect(store.flush()).rejects.toMatchObject(moved);
      // What is acknowledged without a flush is refused at once.
      await expect(store.create(aSession())).rejects.toMatchObject(moved);
      await expect(store.update(id, { title: "lost" }, lease)).rejects.toMatchObject(moved);
      // One that another process makes there is not ours, and is left alone.
      const other = await open(path);
      await aJournal(other, 1);
      await other.flush();
      await expect(store.flush()).rejects.toMatchObject(moved);
      await other.close();
      await rm(folder, { recursive: true });
      await rename(`${folder}-elsewhere`, folder);
      await store.flush();
      await store.append(id, at + 1, someEntries(1, at + 2), lease);
      await store.flush();
    }
    await store.close();
    expect((await (await open(path)).get(id))?.headSeq).toBe(5);
  });

  it("takes a file for its own that has another number each time that it is looked up", async () => {
    const store = await open(newPath());
    const { id, lease } = await aJournal(store, 1);
    const stat = fs.statSync;
    let number = 0;
    const looked = vi
      .spyOn(fs, "statSync")
      .mockImplementation(((...args: Parameters<typeof stat>) =>
        Object.assign(stat(...args) ?? {}, { ino: (number += 1) })) as typeof stat);
    try {
      await store.append(id, 1, someEntries(1, 2), lease);
      await store.flush();
      expect(looked).toHaveBeenCalled();
      looked.mockImplementation(() => {
        throw Object.assign(new Error("no"), { code: "EACCES" });
      });
      await store.append(id, 2, someEntries(1, 3), lease);
      await store.flush();
    } finally {
      looked.mockRestore();
    }
  });

  it("acknowledges nothing that is written to a database which was deleted", async () => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 1);
    await store.flush();
    for (const end of ["", "-wal", "-shm"]) await rm(`${path}${end}`);
    await store.append(id, 1, someEntries(1, 2), lease);
    await expect(store.flush()).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining(`${path} was deleted or replaced while it is open`) as string,
    });
    await store.close();
  });
});
