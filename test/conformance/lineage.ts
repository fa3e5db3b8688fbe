import assert from "node:assert/strict";
import type { SessionId } from "../../src/base/ids.ts";
import type { SessionRecord, Store } from "../../src/store/contract.ts";
import type { Capability, Check } from "./check.ts";
import {
  aJournal,
  aSession,
  assertJournal,
  entriesOf,
  leaseOf,
  mustGet,
  pagesOf,
  rejectsWith,
  someEntries,
} from "./samples.ts";

async function fork(store: Store, parentId: SessionId, atSeq: number): Promise<SessionRecord> {
  return store.create(aSession({ lineage: { parentId, atSeq } }));
}

const forks: Check[] = [
  {
    title: "starts a fork with what its parent has said up to there, all of it final",
    run: async (store) => {
      const { id } = await aJournal(store, 5);
      const child = await fork(store, id, 3);
      assert.deepEqual([child.headSeq, child.sealedSeq], [3, 3]);
      assert.deepEqual(child.lineage, { parentId: id, atSeq: 3 });
      await assertJournal(store, child.id, someEntries(3));
      assert.deepEqual(await store.get(child.id), child);
    },
  },
  {
    title: "lets parent and fork go on apart",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 4);
      const child = await fork(store, id, 2);
      const childLease = await leaseOf(store, child.id);
      assert.equal(await store.append(child.id, 2, someEntries(3, 100), childLease), 5);
      await store.append(id, 4, someEntries(1, 5), lease);
      await assertJournal(store, id, someEntries(5));
      await assertJournal(store, child.id, [...someEntries(2), ...someEntries(3, 100)]);
      await store.seal(child.id, { from: 3, head: 5 }, someEntries(1, 200), childLease);
      await assertJournal(store, child.id, [...someEntries(2), ...someEntries(1, 200)]);
      await rejectsWith("STORE_CONFLICT", store.seal(child.id, { from: 2, head: 3 }, [], childLease));
    },
  },
  {
    title: "reads ranges across the place where a fork starts",
    run: async (store) => {
      const { id } = await aJournal(store, 6);
      const child = await fork(store, id, 4);
      await store.append(child.id, 4, someEntries(4, 100), await leaseOf(store, child.id));
      const whole = await entriesOf(store, child.id);
      assert.deepEqual(
        whole.map(({ seq }) => seq),
        [1, 2, 3, 4, 5, 6, 7, 8],
      );
      assert.deepEqual(await entriesOf(store, child.id, { from: 3, through: 6 }), whole.slice(2, 6));
      assert.deepEqual(await entriesOf(store, child.id, { from: 5 }), whole.slice(4));
      assert.deepEqual(await entriesOf(store, child.id, { through: 4 }), whole.slice(0, 4));
    },
  },
  {
    title: "forks a fork, before and behind the place where that one started",
    run: async (store) => {
      const { id } = await aJournal(store, 5);
      const child = await fork(store, id, 4);
      const lease = await leaseOf(store, child.id);
      await store.append(child.id, 4, someEntries(2, 50), lease);
      await store.seal(child.id, { from: 7, head: 6 }, [], lease);
      const early = await fork(store, child.id, 2);
      const late = await fork(store, child.id, 5);
      await store.append(early.id, 2, someEntries(1, 60), await leaseOf(store, early.id));
      await store.append(late.id, 5, someEntries(1, 70), await leaseOf(store, late.id));
      await assertJournal(store, early.id, [...someEntries(2), ...someEntries(1, 60)]);
      await assertJournal(store, late.id, [...someEntries(4), ...someEntries(1, 50), ...someEntries(1, 70)]);
    },
  },
  {
    title: "forks at the very start, sharing nothing",
    run: async (store) => {
      const { id } = await aJournal(store, 2);
      const child = await fork(store, id, 0);
      assert.equal(await store.append(child.id, 0, someEntries(1, 9), await leaseOf(store, child.id)), 1);
      await assertJournal(store, child.id, someEntries(1, 9));
    },
  },
  {
    title: "forks nobody, and nothing that may still be replaced",
    run: async (store) => {
      await rejectsWith("SESSION_NOT_FOUND", fork(store, aSession().id, 0));
      const { id, lease } = await aJournal(store, 2);
      await store.append(id, 2, someEntries(3, 3), lease);
      await rejectsWith("STORE_CONFLICT", fork(store, id, 3));
      await rejectsWith("STORE_CONFLICT", fork(store, id, 9));
      assert.equal(await store.count(), 1);
      assert.equal((await fork(store, id, 2)).headSeq, 2);
    },
  },
];

const orphans: Check[] = [
  {
    title: "keeps what a fork inherits when its parent is deleted",
    run: async (store) => {
      const { id } = await aJournal(store, 6);
      const child = await fork(store, id, 3);
      const lease = await leaseOf(store, child.id);
      await store.append(child.id, 3, someEntries(1, 4), lease);
      assert.equal(await store.delete(id), true);
      await rejectsWith("SESSION_NOT_FOUND", pagesOf(store, id));
      await assertJournal(store, child.id, someEntries(4));
      assert.deepEqual((await mustGet(store, child.id)).lineage, { parentId: id, atSeq: 3 });
      assert.equal(await store.append(child.id, 4, someEntries(1, 5), lease), 5);
      await assertJournal(store, child.id, someEntries(5));
    },
  },
  {
    title: "keeps a grandparent's entries through a deleted parent, whatever the order of deletion",
    run: async (store) => {
      for (const parentFirst of [true, false]) {
        const { id } = await aJournal(store, 4);
        const child = await fork(store, id, 3);
        const lease = await leaseOf(store, child.id);
        await store.append(child.id, 3, someEntries(2, 4), lease);
        await store.seal(child.id, { from: 6, head: 5 }, [], lease);
        const grandchild = await fork(store, child.id, 4);
        for (const gone of parentFirst ? [child.id, id] : [id, child.id]) await store.delete(gone);
        await assertJournal(store, grandchild.id, someEntries(4));
        assert.equal(await store.delete(grandchild.id), true);
      }
      const { sessions } = await store.stats();
      assert.equal(sessions, 0);
    },
  },
  {
    title: "keeps siblings apart when one of them is deleted",
    run: async (store) => {
      const { id } = await aJournal(store, 5);
      const [short, long] = [await fork(store, id, 2), await fork(store, id, 4)];
      await store.delete(id);
      await store.delete(long.id);
      await assertJournal(store, short.id, someEntries(2));
      await rejectsWith("SESSION_NOT_FOUND", fork(store, id, 2));
      const next = await fork(store, short.id, 1);
      await store.delete(short.id);
      await assertJournal(store, next.id, someEntries(1));
    },
  },
];

export const lineage: Capability = { name: "lineage and forks", checks: [...forks, ...orphans] };
