import { describe, expect, it } from "vitest";
import type { SessionId } from "../../src/session-id.ts";
import type { Store } from "../../src/store/store.ts";
import {
  aJournal,
  anEntry,
  assertJournal,
  entriesOf,
  leaseOf,
  rejectsWith,
  someEntries,
} from "../conformance/samples.ts";
import { overwrite, pagesOf, replaceBytes } from "./sqlite-damage.ts";
import { sqliteSandbox } from "./sqlite-sandbox.ts";

const { newPath, open } = sqliteSandbox();

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

  it.each([undefined, 0, 0xff])(
    "is noticed where SQLite does not look: in a long text (%s)",
    async (byte) => {
      const path = newPath();
      const store = await open(path);
      const { id, lease } = await aJournal(store, 1);
      const long = anEntry("a long text ".repeat(2000));
      // What bytes that are no text are shown as may also stand in one.
      await store.append(id, 1, [long, anEntry("last \ufffd")], lease);
      await store.close();
      // Its first bytes lead to the next page of the text: with them gone, SQLite would notice itself.
      overwrite(path, middleOf(pagesOf(path, "entries", "overflow")), 4, byte);
      const again = await open(path);
      await expect(entriesOf(again, id)).rejects.toMatchObject({
        code: "STORE_CORRUPT",
        data: { sessionId: id, seq: 2 },
      });
      expect((await entriesOf(again, id, { from: 3 })).length).toBe(1);
    },
  );

  it("that holds a record makes the session unreadable, by name", async () => {
    const path = newPath();
    const [first, second] = await three(path);
    expect(replaceBytes(path, `"cwd":"/home/ada/engine"`, `"cwd";"/home/ada/engine"`)).toBe(3);
    const store = await open(path);
    for (const id of [first, second]) await rejectsWith("STORE_CORRUPT", store.get(id));
    await expect(store.get(first)).rejects.toMatchObject({ data: { sessionId: first } });
  });
});
