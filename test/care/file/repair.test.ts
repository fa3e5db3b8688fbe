import { readFileSync, writeFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { repairFileStore, inspectFileStore } from "../../../src/care/file/repair.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import {
  aJournal,
  anEntry,
  entriesOf,
  leaseOf,
  mustGet,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import {
  aDirectory,
  rotating,
  folderOf,
  journalOf,
  using,
  seen,
  flipped,
  lineWith,
} from "../../store/file/sandbox.ts";

describe("damage", () => {
  it("is noticed wherever in a journal a bit has changed", async () => {
    const directory = aDirectory();
    const id = await using(directory, async (store) => {
      const { id, lease } = await aJournal(store, 2, { title: "t" });
      await store.update(id, { metadata: { a: 1 } });
      await store.append(id, 2, someEntries(2, 3), lease);
      await store.seal(id, { from: 3, head: 4 }, [anEntry("all")], lease);
      await store.append(id, 3, someEntries(2, 4), lease);
      return id;
    });
    const file = journalOf(directory, id);
    const whole = readFileSync(file);
    const unharmed = await seen(directory, id);
    // The line break at the very end cannot be told from a write that was cut just there.
    for (let at = 0; at < whole.length - 1; at += 3) {
      writeFileSync(file, flipped(whole, at));
      const found = await seen(directory, id);
      // A changed line break between two lines that do not count is harmless.
      if (found !== "STORE_CORRUPT") expect(found, `bit changed in byte ${at}`).toEqual(unharmed);
      const { damage } = await inspectFileStore(directory);
      if (found === "STORE_CORRUPT") expect(damage[0]?.sessionId, `bit changed in byte ${at}`).toBe(id);
    }
  });

  it("is noticed where it reaches to the end, and is no interrupted write", async () => {
    for (const garbage of [0x58, 0]) {
      const directory = aDirectory();
      const [id, from] = await using(directory, async (store) => {
        const { id, lease } = await aJournal(store, 2);
        const { length } = readFileSync(journalOf(directory, id));
        await store.append(id, 2, someEntries(2, 3), lease);
        await store.flush();
        await store.release(lease);
        return [id, length] as const;
      });
      const file = journalOf(directory, id);
      writeFileSync(file, readFileSync(file).fill(garbage, from));
      await using(directory, async (store) => {
        await rejectsWith("STORE_CORRUPT", entriesOf(store, id));
        expect(await entriesOf(store, id, { through: 2 })).toHaveLength(2);
      });
      await repairFileStore(directory);
      await using(directory, async (store) => expect(await entriesOf(store, id)).toHaveLength(4));
    }
  });

  it("is named by session and entry; the rest stays readable, writes wait for a repair that keeps it", async () => {
    const directory = aDirectory();
    const { id } = await using(directory, (store) => aJournal(store, 9, { title: "kept" }));
    const { id: other } = await using(directory, (store) => aJournal(store, 2));
    const file = journalOf(directory, id);
    const bytes = readFileSync(file);
    const damaged = flipped(bytes, lineWith(bytes, "entry 5") + 8);
    writeFileSync(file, damaged);
    await using(directory, async (store) => {
      await expect(entriesOf(store, id)).rejects.toMatchObject({
        code: "STORE_CORRUPT",
        message: `Entry 5 of session ${id} is damaged (journal.1.jsonl); acp-sidecar verify --repair keeps all that is sound`,
        data: { sessionId: id, seq: 5, file: "journal.1.jsonl" },
      });
      expect((await entriesOf(store, id, { through: 4 })).length).toBe(4);
      expect((await entriesOf(store, id, { from: 6 })).map(({ seq }) => seq)).toEqual([6, 7, 8, 9]);
      expect((await entriesOf(store, other)).length).toBe(2);
      expect((await store.list()).items.length).toBe(2);
      await rejectsWith("STORE_CORRUPT", leaseOf(store, id));
    });
    const report = await inspectFileStore(directory);
    const lost = {
      sessionId: id,
      file: "journal.1.jsonl",
      entries: { from: 5, through: 5 },
      problem: "entry 5 is damaged",
    };
    expect(report).toEqual({ entries: 10, damage: [lost], setAside: [] });
    const recovery = await repairFileStore(directory);
    expect(recovery.damage).toEqual([lost]);
    expect(readFileSync(join(recovery.setAside[0] ?? "", "journal.1.jsonl"))).toEqual(damaged);
    expect((await inspectFileStore(directory)).damage).toEqual([]);
    await using(directory, async (store) => {
      const entries = await entriesOf(store, id);
      expect(entries[4]).toMatchObject({ seq: 5, kind: "message" });
      expect(entries[4]?.data).toContain("damaged");
      expect(entries.toSpliced(4, 1).map(({ data }) => data)).toEqual(
        someEntries(9)
          .toSpliced(4, 1)
          .map(({ data }) => data),
      );
      expect(await mustGet(store, id)).toMatchObject({ title: "kept", headSeq: 9, sealedSeq: 9 });
      expect(await store.append(id, 9, [anEntry("more")], await leaseOf(store, id))).toBe(10);
    });
  });

  it("of a segment costs no more than what cannot be unpacked", async () => {
    const directory = aDirectory();
    const store = await openFileStore({ directory, ...rotating });
    const { id, lease } = await aJournal(store, 2000);
    await store.close();
    await using(directory, (again) => again.append(id, 2000, someEntries(2, 2001), lease));
    const [segment = ""] = readdirSync(folderOf(directory, id)).filter((name) => name.endsWith(".gz"));
    expect(segment).toBe("00000001-00002000.jsonl.gz");
    const file = join(folderOf(directory, id), segment);
    const bytes = readFileSync(file);
    expect(gunzipSync(bytes).toString().split("\n").length).toBe(2001);
    writeFileSync(file, bytes.subarray(0, bytes.length >> 1));
    await using(directory, async (again) => {
      await expect(entriesOf(again, id)).rejects.toMatchObject({
        code: "STORE_CORRUPT",
        data: { file: segment },
      });
      expect((await entriesOf(again, id, { from: 2001 })).length).toBe(2);
    });
    const { damage, setAside } = await repairFileStore(directory);
    const from = damage[0]?.entries?.from ?? 0;
    expect(damage).toMatchObject([{ file: segment, entries: { from, through: 2000 } }]);
    expect(from).toBeGreaterThan(100);
    expect(setAside.length).toBe(1);
    await using(directory, async (again) => {
      const entries = await entriesOf(again, id);
      expect(entries.length).toBe(2002);
      expect(entries.filter(({ kind }) => kind === "message").length).toBe(2001 - from);
    });
  });

  it("of the first line is survived by record.json; without one, the session is set aside whole", async () => {
    const directory = aDirectory();
    const [kept, lost] = await using(directory, async (store) => {
      const kept = await aJournal(store, 3);
      await store.release(kept.lease);
      return [kept.id, (await aJournal(store, 3)).id] as const;
    });
    for (const id of [kept, lost]) {
      const file = journalOf(directory, id);
      writeFileSync(file, flipped(readFileSync(file), 30));
    }
    await using(directory, async (store) => {
      expect((await entriesOf(store, kept)).length).toBe(3);
      await rejectsWith("STORE_CORRUPT", store.get(lost));
      expect((await store.list()).items.map(({ id }) => id)).toEqual([kept]);
      expect((await store.stats()).details?.["unreadable"]).toBe(1);
    });
    const { setAside, damage } = await repairFileStore(directory);
    expect(damage.map(({ sessionId }) => sessionId).sort()).toEqual([kept, lost].sort());
    expect(setAside.length).toBe(2);
    expect((await inspectFileStore(directory)).damage).toEqual([]);
    await using(directory, async (store) => {
      expect((await entriesOf(store, kept)).length).toBe(3);
      expect(await store.get(lost)).toBeUndefined();
    });
  });
});
