import assert from "node:assert/strict";
import type { Entry, NewEntry, Store } from "../../src/store/contract.ts";
import type { Capability, Check } from "./check.ts";
import {
  aHolder,
  aJournal,
  anEntry,
  aSession,
  assertJournal,
  entriesOf,
  leaseOf,
  mustGet,
  pagesOf,
  rejectsWith,
  someEntries,
} from "./samples.ts";

/** Words that repeat, of several kinds and sizes, and what texts may have in them. */
function aConversation(turns: number): NewEntry[] {
  const word = (at: number) => ["alpha", "beta", "función", "模型", "delta 🙂"][at % 5] ?? "";
  return Array.from({ length: turns }, (_, turn): NewEntry[] => [
    anEntry(`prompt ${turn}`, { kind: "prompt" }),
    anEntry(Array.from({ length: 400 }, (_, at) => word(at + turn)).join(" "), { atMs: 1000 + turn }),
    { kind: "response", atMs: 2000 + turn, data: `{"n":1.50,"e":"\\u00e9${word(turn)}",  "t":[]}` },
    anEntry("", { kind: "end" }),
  ]).flat();
}

async function written(store: Store, entries: readonly NewEntry[]) {
  const { id } = await store.create(aSession());
  const lease = await leaseOf(store, id);
  await store.seal(id, { from: 1, head: 0 }, entries, lease);
  return { id, lease };
}

const compressing: Check[] = [
  {
    title: "gives every reader what was there before it was compressed",
    run: async (store) => {
      const entries = aConversation(150);
      const { id, lease } = await written(store, entries);
      const before = await entriesOf(store, id);
      await store.compress(id, lease);
      assert.deepEqual(await entriesOf(store, id), before);
      for (const range of [
        { from: 3, through: 3 },
        { from: 250 },
        { through: 7 },
        { from: 477, through: 485 },
      ]) {
        const { from = 1, through = Infinity } = range;
        const expected = before.filter(({ seq }) => seq >= from && seq <= through);
        assert.deepEqual(await entriesOf(store, id, range), expected);
      }
      await store.compress(id, lease);
      assert.deepEqual(await entriesOf(store, id), before);
    },
  },
  {
    title: "goes on with a session that was compressed",
    run: async (store) => {
      const entries = aConversation(40);
      const { id, lease } = await written(store, entries);
      await store.compress(id, lease);
      const head = entries.length;
      assert.equal(await store.append(id, head, someEntries(3), lease), head + 3);
      await store.seal(id, { from: head + 1, head: head + 3 }, someEntries(2, 50), lease);
      await assertJournal(store, id, [...entries, ...someEntries(2, 50)]);
      await store.compress(id, lease);
      await assertJournal(store, id, [...entries, ...someEntries(2, 50)]);
    },
  },
  {
    title: "reads a fork of what was compressed, and a fork that was compressed itself",
    run: async (store) => {
      const entries = aConversation(40);
      const { id, lease } = await written(store, entries);
      const early = await store.create(aSession({ lineage: { parentId: id, atSeq: 10 } }));
      await store.compress(id, lease);
      const late = await store.create(aSession({ lineage: { parentId: id, atSeq: 50 } }));
      await assertJournal(store, early.id, entries.slice(0, 10));
      const held = await leaseOf(store, late.id);
      await store.seal(late.id, { from: 51, head: 50 }, aConversation(20), held);
      await store.compress(late.id, held);
      await assertJournal(store, late.id, [...entries.slice(0, 50), ...aConversation(20)]);
      await store.delete(id);
      await assertJournal(store, early.id, entries.slice(0, 10));
      await assertJournal(store, late.id, [...entries.slice(0, 50), ...aConversation(20)]);
    },
  },
  {
    title: "goes on with a read that was begun before",
    run: async (store) => {
      const entries = aConversation(900);
      const { id, lease } = await written(store, entries);
      const read: Entry[] = [];
      for await (const page of store.read(id)) {
        if (read.length === 0) await store.compress(id, lease);
        read.push(...page);
      }
      assert.deepEqual(
        read.map(({ kind, atMs, data }) => ({ kind, atMs, data })),
        entries,
      );
    },
  },
  {
    title: "keeps pages of what was compressed bounded",
    run: async (store) => {
      const entries = Array.from({ length: 30 }, (_, at) => anEntry(`${at} ${"code ".repeat(40_000)}`));
      const { id, lease } = await written(store, entries);
      await store.compress(id, lease);
      const pages = await pagesOf(store, id);
      for (const page of pages) assert.ok(page.reduce((sum, { data }) => sum + data.length, 0) < 4 << 20);
      assert.equal(pages.flat().length, 30);
    },
  },
  {
    title: "compresses under the lease only, and leaves alone what is not final",
    run: async (store) => {
      const { id, lease } = await written(store, aConversation(20));
      await store.append(id, 80, someEntries(2), lease);
      await store.compress(id, lease);
      await assertJournal(store, id, [...aConversation(20), ...someEntries(2)]);
      await leaseOf(store, id, aHolder("b"));
      await store.append(id, 82, [], await leaseOf(store, id, aHolder("c")));
      const other = await written(store, aConversation(20));
      await leaseOf(store, other.id, aHolder("b"));
      const done = store.compress(other.id, other.lease);
      if (store.capabilities.persistent) await rejectsWith("LEASE_LOST", done);
      else await done.catch(() => undefined);
    },
  },
  {
    title: "finds it compressed after a restart",
    needs: "persistent",
    run: async (store, { reopen }) => {
      const entries = aConversation(60);
      const { id, lease } = await written(store, entries);
      await store.compress(id, lease);
      await store.release(lease);
      await store.close();
      await assertJournal(await reopen(), id, entries);
    },
  },
];

/** What a driver from elsewhere need not do. */
async function rewrites(store: Store): Promise<boolean> {
  const { id, lease } = await aJournal(store, 1);
  const done = await store.rewrite(id, 1, someEntries(1), lease).catch((error: unknown) => error);
  if (done === undefined) return true;
  assert.equal((done as { code?: unknown }).code, "STORE_UNSUPPORTED");
  return false;
}

const rewriting: Check[] = [
  {
    title: "puts as many others in the place of final entries",
    run: async (store) => {
      if (!(await rewrites(store))) return;
      const { id, lease } = await aJournal(store, 400);
      const { updatedAtMs } = await mustGet(store, id);
      await store.rewrite(id, 150, someEntries(99, 1000), lease);
      const expected = [...someEntries(149), ...someEntries(99, 1000), ...someEntries(152, 249)];
      await assertJournal(store, id, expected);
      await store.rewrite(id, 1, someEntries(400), lease);
      await store.rewrite(id, 400, someEntries(1, 7), lease);
      await assertJournal(store, id, [...someEntries(399), ...someEntries(1, 7)]);
      const record = await mustGet(store, id);
      assert.deepEqual([record.sealedSeq, record.updatedAtMs], [400, updatedAtMs]);
      assert.equal(await store.append(id, 400, someEntries(1), lease), 401);
    },
  },
  {
    title: "rewrites a part of what was compressed, and leaves all around it as it was",
    run: async (store) => {
      if (!(await rewrites(store))) return;
      const entries = aConversation(60);
      const { id, lease } = await written(store, entries);
      await store.compress(id, lease);
      const expected = [...entries];
      for (const [from, count] of [
        [7, 3],
        [1, 1],
        [230, 11],
        [100, 40],
      ] as const) {
        expected.splice(from - 1, count, ...someEntries(count, from));
        await store.rewrite(id, from, someEntries(count, from), lease);
        await assertJournal(store, id, expected);
        if (from === 1) await store.compress(id, lease);
      }
    },
  },
  {
    title: "rewrites nothing that is not final, is inherited, or is held by somebody else",
    run: async (store) => {
      if (!(await rewrites(store))) return;
      const { id, lease } = await aJournal(store, 10);
      await store.append(id, 10, someEntries(2, 11), lease);
      await rejectsWith("STORE_CONFLICT", store.rewrite(id, 10, someEntries(2, 50), lease));
      await rejectsWith("STORE_CONFLICT", store.rewrite(id, 0, someEntries(1, 50), lease));
      const child = await store.create(aSession({ lineage: { parentId: id, atSeq: 5 } }));
      const own = await leaseOf(store, child.id);
      await rejectsWith("STORE_CONFLICT", store.rewrite(child.id, 5, someEntries(1, 50), own));
      await rejectsWith("LEASE_LOST", store.rewrite(id, 1, someEntries(1, 50), own));
      await leaseOf(store, id, aHolder("b"));
      await rejectsWith("LEASE_LOST", store.rewrite(id, 1, someEntries(1, 50), lease));
      await assertJournal(store, id, someEntries(12));
    },
  },
];

export const room: Capability = { name: "room", checks: [...compressing, ...rewriting] };
