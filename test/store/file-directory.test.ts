import { existsSync, readFileSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { backupFileStore } from "../../src/care/file/backup.ts";
import { inspectFileStore } from "../../src/care/file/repair.ts";
import type { SessionId } from "../../src/base/ids.ts";
import type { Store } from "../../src/store/contract.ts";
import { openFileStore } from "../../src/store/file/store.ts";
import {
  aJournal,
  anEntry,
  aSession,
  entriesOf,
  leaseOf,
  mustGet,
  rejectsWith,
  someEntries,
} from "../conformance/samples.ts";
import { aDirectory, rotating, folderOf, journalOf, using } from "./file-sandbox.ts";

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

describe("a directory", () => {
  it("that is not ours, or newer than we are, is left alone", async () => {
    const directory = aDirectory();
    await using(directory, (store) => aJournal(store, 1));
    const format = join(directory, "format.json");
    const written = JSON.parse(readFileSync(format, "utf8")) as object;
    writeFileSync(format, JSON.stringify({ ...written, version: 2 }));
    await rejectsWith("STORE_SCHEMA_NEWER", openFileStore({ directory }));
    writeFileSync(format, "{");
    await rejectsWith("STORE_CORRUPT", openFileStore({ directory }));
    writeFileSync(format, JSON.stringify({ format: "something else" }));
    await rejectsWith("STORE_CORRUPT", openFileStore({ directory }));
    await rejectsWith("STORE_UNAVAILABLE", openFileStore({ directory: join(format, "below a file") }));
  });

  it("is readable by a person: one JSON object a line, entries to the letter, times as dates", async () => {
    const directory = aDirectory();
    const data = '{ "spaces" : [1,  2],\t"é":"\\u00e9" }';
    const broken = '{\n  "lines": 2\n}';
    const id = await using(directory, async (store) => {
      const { id, lease } = await aJournal(store, 0);
      const entries = [data, broken, '{"half":"\ud83d"}'].map((each) => anEntry("", { data: each }));
      await store.append(id, 0, entries, lease);
      expect((await entriesOf(store, id)).map((entry) => entry.data)).toEqual(
        entries.map((entry) => entry.data),
      );
      await store.release(lease);
      return id;
    });
    const text = readFileSync(journalOf(directory, id), "utf8");
    expect(text).toContain(`"at":"2025-01-01T12:00:01.000Z","kind":"update","batch":`);
    expect(text).toContain(`"data":${data},"crc":"`);
    for (const line of text.split("\n")) if (line !== "") JSON.parse(line);
    const record = JSON.parse(readFileSync(join(folderOf(directory, id), "record.json"), "utf8")) as object;
    expect(record).toMatchObject({ head: { record: { id, headSeq: 3 } }, journal: 1 });
  });

  it("loses nothing but time with its record.json files", async () => {
    const directory = aDirectory();
    const { id, lease } = await using(directory, (store) => aJournal(store, 3));
    await using(directory, async (store) => {
      await store.release(lease);
      await store.update(id, { title: "later" });
    });
    const before = await using(directory, (store) => mustGet(store, id));
    for (const content of [undefined, "", "{", '{"journal":7}', "null"]) {
      const file = join(folderOf(directory, id), "record.json");
      if (content === undefined) rmSync(file);
      else writeFileSync(file, content);
      expect(await using(directory, (store) => mustGet(store, id))).toEqual(before);
    }
  });

  it("is not misled by a record.json that a power cut has left newer than its journal", async () => {
    const directory = aDirectory();
    const { id, lease } = await using(directory, (store) => aJournal(store, 3));
    const journal = journalOf(directory, id);
    const before = readFileSync(journal);
    const file = join(folderOf(directory, id), "record.json");
    await using(directory, async (store) => {
      await store.update(id, { title: "lost with the power" });
      await store.release(lease);
    });
    const newer = readFileSync(file);
    writeFileSync(journal, before);
    rmSync(file);
    const expected = await using(directory, async (store) => {
      await store.append(id, 3, someEntries(20, 4), lease);
      return mustGet(store, id);
    });
    writeFileSync(file, newer);
    expect(await using(directory, (store) => mustGet(store, id))).toEqual(expected);
  });
});

describe("a rotation", () => {
  it("does not carry a final entry along with one that came behind it meanwhile", async () => {
    const directory = aDirectory();
    const first = await openFileStore({ directory, ...rotating });
    const { id } = await first.create(aSession());
    const lease = await leaseOf(first, id);
    await first.append(id, 0, someEntries(3), lease);
    await first.seal(id, { from: 1, head: 3 }, someEntries(2), lease);
    // While the segment of the first two is being written.
    await first.append(id, 2, someEntries(2, 3), lease);
    await first.close();
    expect(existsSync(journalOf(directory, id, 2))).toBe(true);
    const second = await openFileStore({ directory, ...rotating });
    await second.seal(id, { from: 5, head: 4 }, [], lease);
    await second.close();
    expect(existsSync(journalOf(directory, id, 3))).toBe(true);
    expect(await inspectFileStore(directory)).toEqual({ entries: 4, damage: [], setAside: [] });
  });
});

describe("an entry as large as a message may be", () => {
  it("is appended, sealed, rotated and read", async () => {
    const directory = aDirectory();
    const data = JSON.stringify({ text: "x→".repeat(15 << 20) });
    const entry = { kind: "update", atMs: 1, data } as const;
    const isThere = async (store: Store, id: SessionId) =>
      (await entriesOf(store, id)).map((found) => found.data === data);
    const store = await openFileStore({ directory, ...rotating });
    const { id } = await store.create(aSession());
    const lease = await leaseOf(store, id);
    await store.append(id, 0, [entry], lease);
    expect(await using(directory, (other) => isThere(other, id))).toEqual([true]);
    await store.seal(id, { from: 1, head: 1 }, [entry], lease);
    await store.close();
    expect(existsSync(journalOf(directory, id, 2))).toBe(true);
    expect(await using(directory, (other) => isThere(other, id))).toEqual([true]);
  }, 60_000);
});
