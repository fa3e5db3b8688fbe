import { existsSync, readFileSync, writeFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openFileStore } from "../../../src/store/file/store.ts";
import {
  aJournal,
  anEntry,
  entriesOf,
  mustGet,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import { aDirectory, folderOf, journalOf, using } from "./sandbox.ts";

describe("a directory", () => {
  it("that is not ours, or newer than we are, is left alone", async () => {
    const directory = aDirectory();
    await using(directory, (store) => aJournal(store, 1));
    const format = join(directory, "format.json");
    const written = JSON.parse(readFileSync(format, "utf8")) as object;
    writeFileSync(format, JSON.stringify({ ...written, version: 3 }));
    await rejectsWith("STORE_SCHEMA_NEWER", openFileStore({ directory }));
    writeFileSync(format, "{");
    await rejectsWith("STORE_CORRUPT", openFileStore({ directory }));
    writeFileSync(format, JSON.stringify({ format: "something else" }));
    await rejectsWith("STORE_CORRUPT", openFileStore({ directory }));
    await rejectsWith("STORE_UNAVAILABLE", openFileStore({ directory: join(format, "below a file") }));
  });

  it("may have files of others in it, as systems put them there: it is read and written all the same", async () => {
    const directory = aDirectory();
    const id = await using(directory, async (store) => (await aJournal(store, 1)).id);
    const folders = [
      directory,
      join(directory, "sessions"),
      join(directory, "tmp"),
      dirname(folderOf(directory, id)),
      folderOf(directory, id),
    ];
    for (const folder of folders)
      for (const name of [".DS_Store", "Thumbs.db", "x"]) writeFileSync(join(folder, name), "x");
    await using(directory, async (store) => {
      const other = await aJournal(store, 1);
      expect((await store.list({ limit: 10 })).items.map((record) => record.id).sort()).toEqual(
        [id, other.id].sort(),
      );
      expect(await store.delete(id)).toBe(true);
    });
    await using(directory, async (store) => expect((await store.stats()).sessions).toBe(1));
  });

  it("within another one is refused before anything is made there", async () => {
    const directory = aDirectory();
    const id = await using(directory, async (store) => (await aJournal(store, 1)).id);
    for (const inner of ["sessions", join("sessions", "0"), "other"]) {
      await rejectsWith("STORE_UNAVAILABLE", openFileStore({ directory: join(directory, inner) }));
      expect(existsSync(join(directory, inner, "format.json"))).toBe(false);
    }
    expect(await using(directory, async (store) => (await mustGet(store, id)).headSeq)).toBe(1);
  });

  it("of an older version says that it is of this one as soon as it is opened, so that older programs refuse it", async () => {
    const directory = aDirectory();
    const id = await using(directory, async (store) => (await aJournal(store, 1)).id);
    const format = join(directory, "format.json");
    const written = readFileSync(format, "utf8");
    writeFileSync(format, JSON.stringify({ ...(JSON.parse(written) as object), version: 1 }));
    expect(await using(directory, async (store) => (await mustGet(store, id)).headSeq)).toBe(1);
    expect(readFileSync(format, "utf8")).toBe(written);
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
