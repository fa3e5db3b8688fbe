/** Whatever of a journal is damaged: an entry is as it was, or it is told that it is not. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { repairFileStore, inspectFileStore } from "../../../src/care/file/repair.ts";
import type { Lease, Store } from "../../../src/store/contract.ts";
import {
  anEntry,
  aRequest,
  aSession,
  entriesOf,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import { aDirectory, flipped, folderOf, journalOf, lineWith, using } from "./sandbox.ts";

/** A session that was let go, and its journal. */
async function aSessionOf(fill: (store: Store, id: SessionId, lease: Lease) => Promise<unknown>) {
  const directory = aDirectory();
  const id = await using(directory, async (store) => {
    const { id } = await store.create(aSession());
    const { lease } = await store.acquire(id, aRequest());
    await fill(store, id, lease);
    await store.flush();
    await store.release(lease);
    return id;
  });
  const file = journalOf(directory, id);
  return { directory, id, file, bytes: readFileSync(file) };
}

const entriesWith = (...texts: readonly string[]) => texts.map((text) => anEntry(text));

/** Two turns: of the first the seal has fewer entries than it replaces, of the second more. */
async function twoTurns(store: Store, id: SessionId, lease: Lease): Promise<void> {
  for (let seq = 1; seq <= 4; seq += 1) await store.append(id, seq - 1, someEntries(1, seq), lease);
  await store.seal(id, { from: 1, head: 4 }, entriesWith("a", "b"), lease);
  await store.append(id, 2, [anEntry("c")], lease);
  await store.update(id, { title: "t" }, lease);
  await store.append(id, 3, someEntries(2, 4), lease);
  await store.seal(id, { from: 3, head: 5 }, entriesWith("c", "d", "e", "end"), lease);
}

const textsOf = (directory: string, id: SessionId) =>
  using(directory, async (store) => (await entriesOf(store, id)).map(({ data }) => data));

const patterns: [string, (byte: number, nth: number) => number][] = [
  ["flipped", (byte) => byte ^ 1],
  ["of another file", (_byte, nth) => 33 + ((nth * 37) % 90)],
  ["line breaks", () => 10],
];

function harmed(
  bytes: Buffer,
  at: number,
  width: number,
  become: (byte: number, nth: number) => number,
): Buffer {
  const copy = Buffer.from(bytes);
  for (let nth = 0; nth < width && at + nth < copy.length; nth += 1)
    copy[at + nth] = become(copy[at + nth] ?? 0, nth);
  return copy;
}

describe("damage of a journal", () => {
  for (const [name, become] of patterns) {
    it(`of bytes that are ${name} leaves no other entries in place of the sealed ones, wherever it is`, async () => {
      const { directory, id, file, bytes } = await aSessionOf(twoTurns);
      const whole = await textsOf(directory, id);
      const record = join(folderOf(directory, id), "record.json");
      const hint = readFileSync(record);
      const last = bytes.lastIndexOf("\n", bytes.length - 2);
      for (const width of [1, 16, 200, 512]) {
        for (let at = bytes.indexOf("\n"); at < bytes.length; at += width === 1 ? 7 : 29) {
          writeFileSync(file, harmed(bytes, at, width, become));
          // Nothing but line breaks at the end is no more than that.
          if (become(0, 0) === 10 && at + width > last) break;
          // What else reaches to the end is an interrupted write, if nothing says that it was safe.
          if (at + width > last) writeFileSync(record, hint);
          else rmSync(record, { force: true });
          const found = await textsOf(directory, id).catch(
            (error: unknown) => (error as { code: string }).code,
          );
          if (found !== "STORE_CORRUPT") expect(found, `${width} bytes at ${at}`).toEqual(whole);
          else
            expect((await inspectFileStore(directory)).damage[0], `${width} bytes at ${at}`).toMatchObject({
              sessionId: id,
            });
        }
      }
    });
  }
});

describe("damage in the lines of one batch", () => {
  const sealed = entriesWith("a", "b", "c").map(({ data }) => data);
  const oneTurn = () =>
    aSessionOf(async (store, id, lease) => {
      await store.append(id, 0, someEntries(6), lease);
      await store.seal(id, { from: 1, head: 6 }, entriesWith("a", "b", "c"), lease);
    });

  /** With one letter of the line changed that holds `text`. */
  async function damagedAt(text: string, made = oneTurn()) {
    const { directory, id, file, bytes } = await made;
    rmSync(join(folderOf(directory, id), "record.json"), { force: true });
    writeFileSync(file, flipped(bytes, bytes.indexOf("crc", lineWith(bytes, text)) + 1));
    return { directory, id, file: `journal.${file.at(-7)}.jsonl` };
  }

  for (const [nth, text] of ["a", "b", "c"].entries()) {
    it(`that a seal wrote is told as that entry (${text}), and the others are the seal's`, async () => {
      const { directory, id, file } = await damagedAt(`"text":"${text}"`);
      const seq = nth + 1;
      await using(directory, async (store) => {
        await expect(entriesOf(store, id)).rejects.toMatchObject({ code: "STORE_CORRUPT", data: { seq } });
        const before = await entriesOf(store, id, { through: nth });
        const behind = await entriesOf(store, id, { from: seq + 1 });
        expect([...before, ...behind].map(({ data }) => data)).toEqual(sealed.toSpliced(nth, 1));
      });
      const { damage } = await repairFileStore(directory);
      expect(damage).toMatchObject([{ sessionId: id, file, entries: { from: seq, through: seq } }]);
      const mended = await textsOf(directory, id);
      expect(mended[nth]).toContain("damaged");
      expect(mended.toSpliced(nth, 1)).toEqual(sealed.toSpliced(nth, 1));
      expect((await inspectFileStore(directory)).damage).toEqual([]);
    });
  }

  it("costs no entry when it is the seal's own line, and is told by verify", async () => {
    const { directory, id } = await damagedAt(`"op":"seal"`);
    expect(await textsOf(directory, id)).toEqual(sealed);
    const { damage } = await inspectFileStore(directory);
    expect(damage).toMatchObject([
      { sessionId: id, problem: expect.stringMatching(/^a line at byte \d+/) as string },
    ]);
  });

  it("costs one entry when it is the last that was appended, and none when it is the release behind it", async () => {
    const made = () => aSessionOf((store, id, lease) => store.append(id, 0, someEntries(3), lease));
    const last = await damagedAt("entry 3", made());
    await using(last.directory, async (store) => {
      await expect(entriesOf(store, last.id)).rejects.toMatchObject({ data: { seq: 3 } });
      expect(await entriesOf(store, last.id, { through: 2 })).toHaveLength(2);
    });
    const { directory, id, file, bytes } = await made();
    writeFileSync(file, flipped(bytes, bytes.indexOf(`"fence"`, lineWith(bytes, `"op":"release"`)) + 2));
    expect(await textsOf(directory, id)).toHaveLength(3);
    expect((await inspectFileStore(directory)).damage).toHaveLength(1);
  });

  it("keeps none of what stands behind it from being read, whatever comes first", async () => {
    const { directory, id } = await damagedAt(
      "entry 2",
      aSessionOf(async (store, id, lease) => {
        for (let seq = 1; seq <= 4; seq += 1) {
          await store.append(id, seq - 1, someEntries(1, seq), lease);
          await store.update(id, { title: `${seq}` }, lease);
        }
      }),
    );
    await using(directory, async (store) => {
      await expect(entriesOf(store, id)).rejects.toMatchObject({ data: { seq: 2 } });
      expect((await entriesOf(store, id, { from: 3 })).map(({ seq }) => seq)).toEqual([3, 4]);
      await rejectsWith("STORE_CORRUPT", store.acquire(id, aRequest()));
    });
  });

  it("that a journal begins with costs no more than itself", async () => {
    const { directory, id } = await aSessionOf((store, id, lease) =>
      store.append(id, 0, someEntries(4), lease),
    );
    const repaired = await damagedAt("entry 2", Promise.resolve(opened(directory, id)));
    await repairFileStore(directory);
    expect(repaired.id).toBe(id);
    const { file, bytes } = opened(directory, id, 2);
    rmSync(join(folderOf(directory, id), "record.json"), { force: true });
    writeFileSync(file, flipped(bytes, lineWith(bytes, "entry 3") + 8));
    await using(directory, async (store) => {
      await expect(entriesOf(store, id)).rejects.toMatchObject({ data: { seq: 3 } });
      expect(await entriesOf(store, id, { from: 4 })).toHaveLength(1);
    });
  });
});

function opened(directory: string, id: SessionId, n = 1) {
  const file = journalOf(directory, id, n);
  return { directory, id, file, bytes: readFileSync(file) };
}
