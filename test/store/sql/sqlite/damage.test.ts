import { copyFileSync, statSync, truncateSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { SidecarError } from "../../../../src/base/errors.ts";
import type { SessionId } from "../../../../src/base/ids.ts";
import { inspectSqliteStore } from "../../../../src/care/sqlite/repair.ts";
import { repairSqliteStore } from "../../../../src/care/sqlite/repair.ts";
import type { Store } from "../../../../src/store/contract.ts";
import {
  aJournal,
  anEntry,
  assertJournal,
  entriesOf,
  leaseOf,
  rejectsWith,
  someEntries,
} from "../../../conformance/samples.ts";
import { overwrite, pageBytes, pagesOf, replaceBytes } from "./damage.ts";
import { sqliteSandbox } from "./sandbox.ts";

const { newPath, open, raw } = sqliteSandbox();

/** A closed store with three sessions of 400 entries each. */
async function three(path: string): Promise<[SessionId, SessionId, SessionId]> {
  const store = await open(path);
  const ids = [(await aJournal(store, 400)).id, (await aJournal(store, 400)).id] as const;
  const last = (await aJournal(store, 400)).id;
  await store.close();
  return [...ids, last];
}

const middleOf = (pages: readonly number[]): number => pages[pages.length >> 1] ?? 0;

async function assertOthersWork(store: Store, ids: readonly SessionId[]): Promise<void> {
  for (const id of ids) {
    await assertJournal(store, id, someEntries(400));
    expect(await store.append(id, 400, [anEntry("more")], await leaseOf(store, id))).toBe(401);
  }
}

/** Rows as version 1 of the schema had them. */
function forgetSums(path: string): void {
  raw(path).exec("UPDATE entries SET kind = kind & 255; PRAGMA wal_checkpoint(TRUNCATE)");
}

describe("a damaged page of a SQLite store that is in use", () => {
  it("fails the reading of its session, by name, and no other one", async () => {
    const path = newPath();
    const [before, damaged, after] = await three(path);
    overwrite(path, middleOf(pagesOf(path, "entries", "leaf")));
    const store = await open(path);
    const reading = entriesOf(store, damaged);
    await expect(reading).rejects.toMatchObject({ code: "STORE_CORRUPT", data: { sessionId: damaged } });
    await expect(reading).rejects.toThrow(
      new RegExp(`^Session ${damaged} in .*; acp-sidecar verify --repair keeps`),
    );
    await assertOthersWork(store, [before, after]);
  });

  it.each([
    [undefined, 2],
    [0, 2],
    [0xff, 2],
    [undefined, 1],
    [0, 1],
  ])("is noticed where SQLite does not look: in a long text (%s), of schema %i", async (byte, schema) => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 1);
    const long = anEntry("a long text ".repeat(2000));
    // What bytes that are no text are shown as may also stand in one.
    await store.append(id, 1, [long, anEntry("last \ufffd")], lease);
    await store.close();
    if (schema === 1) forgetSums(path);
    // Its first bytes lead to the next page of the text: with them gone, SQLite would notice itself.
    overwrite(path, middleOf(pagesOf(path, "entries", "overflow")), 4, byte);
    const again = await open(path);
    await expect(entriesOf(again, id)).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      data: { sessionId: id, seq: 2 },
    });
    expect((await entriesOf(again, id, { from: 3 })).length).toBe(1);
  });

  it("is noticed when one letter of a text is another one, and costs that entry", async () => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 3);
    await store.append(id, 3, [anEntry("the sum"), anEntry("last")], lease);
    await store.close();
    expect(replaceBytes(path, "the sum", "the sun")).toBe(1);
    const again = await open(path);
    const refusal = { code: "STORE_CORRUPT", data: { sessionId: id, seq: 4 } };
    await expect(entriesOf(again, id)).rejects.toMatchObject(refusal);
    expect(await entriesOf(again, id, { from: 5 })).toMatchObject([anEntry("last")]);
    await again.close();
    expect(await inspectSqliteStore(path)).toMatchObject([
      { sessionId: id, entries: { from: 4, through: 4 } },
    ]);
    await repairSqliteStore(path);
    expect(await inspectSqliteStore(path)).toEqual([]);
    expect((await entriesOf(await open(path), id)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it("is noticed when a part of it reads as zeros", async () => {
    const path = newPath();
    const store = await open(path);
    const ids: SessionId[] = [];
    while (ids.length < 5) ids.push((await aJournal(store, 60)).id);
    await store.close();
    const { size } = statSync(path);
    const codes = new Set<string>();
    for (let length = size - pageBytes + 1; length < size; length += 97) {
      const copy = newPath();
      copyFileSync(path, copy);
      truncateSync(copy, length);
      const cut = await open(copy);
      for (const id of ids) await entriesOf(cut, id).catch(({ code }: SidecarError) => codes.add(code));
    }
    expect([...codes]).toEqual(["STORE_CORRUPT"]);
  });

  it("that holds a record makes the session unreadable, by name", async () => {
    const path = newPath();
    const [first, second] = await three(path);
    expect(replaceBytes(path, `"cwd":"/home/ada/engine"`, `"cwd";"/home/ada/engine"`)).toBe(3);
    const store = await open(path);
    for (const id of [first, second]) await rejectsWith("STORE_CORRUPT", store.get(id));
    await expect(store.get(first)).rejects.toMatchObject({ data: { sessionId: first } });
  });
});
