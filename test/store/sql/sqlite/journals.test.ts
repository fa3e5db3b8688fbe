import { describe, expect, it } from "vitest";
import {
  aJournal,
  aSession,
  assertJournal,
  leaseOf,
  pagesOf,
  rejectsWith,
  someEntries,
} from "../../../conformance/samples.ts";
import { sqliteSandbox } from "./sandbox.ts";

const { newPath, open, raw } = sqliteSandbox();

/** How many rows each table has. */
function rowsIn(path: string): Record<string, unknown> {
  const db = raw(path);
  const tables = ["sessions", "records", "terms", "journals", "entries", "doomed"];
  return Object.fromEntries(tables.map((t) => [t, db.prepare(`SELECT count(*) FROM ${t}`).pluck().get()]));
}

const nothing = { sessions: 0, records: 0, terms: 0, journals: 0, entries: 0, doomed: 0 };

describe("a deleted session in SQLite", () => {
  it("leaves no row behind, however long its journal", async () => {
    const path = newPath();
    const store = await open(path);
    const facts = { metadata: { a: 1, b: "x".repeat(1000) }, agentSessionIds: ["s"] };
    const { id } = await aJournal(store, 3210, facts);
    await store.update(id, { metadata: { c: true } });
    await store.delete(id);
    expect(rowsIn(path)).toEqual(nothing);
  });

  it("does not hold up others while a long journal goes", async () => {
    const store = await open(newPath());
    const { id } = await aJournal(store, 5000);
    const other = await aJournal(store, 0);
    let deleted = false;
    const deleting = store.delete(id).then(() => (deleted = true));
    await store.append(other.id, 0, someEntries(1), other.lease);
    expect(deleted).toBe(false);
    await deleting;
  });

  it("is wholly removed by the next delete when the process died in the middle", async () => {
    const path = newPath();
    const store = await open(path);
    const { id } = await aJournal(store, 2000);
    const { id: other } = await aJournal(store, 1);
    const deleting = store.delete(id);
    await store.close();
    await deleting;
    expect(rowsIn(path)).toMatchObject({ sessions: 1, doomed: 1 });
    expect(Number(rowsIn(path).entries)).toBeGreaterThan(500);

    const next = await open(path);
    expect(await next.get(id)).toBeUndefined();
    await next.delete(other);
    expect(rowsIn(path)).toEqual(nothing);
  });

  it("keeps of its journal what forks inherit, and no more", async () => {
    const path = newPath();
    const store = await open(path);
    const { id } = await aJournal(store, 1000);
    const fork = (atSeq: number) => store.create(aSession({ lineage: { parentId: id, atSeq } }));
    const [short, long] = [await fork(10), await fork(700)];
    await store.delete(id);
    expect(rowsIn(path)).toMatchObject({ sessions: 2, journals: 3, entries: 700, doomed: 0 });
    await store.delete(long.id);
    expect(rowsIn(path)).toMatchObject({ sessions: 1, journals: 2, entries: 10, doomed: 0 });
    await assertJournal(store, short.id, someEntries(10));
    await store.delete(short.id);
    expect(rowsIn(path)).toEqual(nothing);
  });

  it("frees a chain of ancestors with the last that needed them", async () => {
    const path = newPath();
    const store = await open(path);
    const { id: a } = await aJournal(store, 5);
    let last = a;
    for (let i = 0; i < 4; i += 1) {
      const { id } = await store.create(aSession({ lineage: { parentId: last, atSeq: 5 + i } }));
      const lease = await leaseOf(store, id);
      await store.append(id, 5 + i, someEntries(1, 6 + i), lease);
      await store.seal(id, { from: 7 + i, head: 6 + i }, [], lease);
      await store.delete(last);
      last = id;
    }
    await assertJournal(store, last, someEntries(9));
    await store.delete(last);
    expect(rowsIn(path)).toEqual(nothing);
  });
});

describe("a damaged journal in SQLite", () => {
  it("is reported by session and entry where entries are missing, and the rest is read", async () => {
    const path = newPath();
    const store = await open(path);
    const { id } = await aJournal(store, 1200);
    const { id: whole } = await aJournal(store, 3);
    for (const missing of [1200, 700, 1]) {
      raw(path).prepare("DELETE FROM entries WHERE key = (1 << 32) | ?").run(missing);
      await rejectsWith("STORE_CORRUPT", pagesOf(store, id));
      await expect(pagesOf(store, id)).rejects.toMatchObject({ data: { sessionId: id, seq: missing } });
    }
    expect((await pagesOf(store, id, { from: 701, through: 1199 })).flat()).toHaveLength(499);
    await assertJournal(store, whole, someEntries(3));
  });

  it("is reported where an entry is of no known kind", async () => {
    const path = newPath();
    const store = await open(path);
    const { id } = await aJournal(store, 3);
    raw(path).prepare("UPDATE entries SET kind = 77 WHERE key = (1 << 32) | 2").run();
    await rejectsWith("STORE_CORRUPT", pagesOf(store, id));
  });
});
