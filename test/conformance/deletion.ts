import assert from "node:assert/strict";
import type { Capability } from "./check.ts";
import { aJournal, aRequest, aSession, entriesOf, pagesOf, rejectsWith, someEntries } from "./samples.ts";

export const deletion: Capability = {
  name: "deletion",
  checks: [
    {
      title: "deletes a session with all that finds it",
      run: async (store) => {
        const facts = { metadata: { k: 1 }, agentSessionIds: ["a"], cwd: "/d" };
        const { id } = await aJournal(store, 3, facts);
        const { id: kept } = await aJournal(store, 3, facts);
        assert.equal(await store.delete(id), true);
        assert.equal(await store.get(id), undefined);
        assert.deepEqual((await store.list()).items, [await store.get(kept)]);
        for (const filter of [{}, { metadata: { k: 1 } }, { agentSessionId: "a" }, { cwd: "/d" }]) {
          assert.equal(await store.count(filter), 1);
        }
        await rejectsWith("SESSION_NOT_FOUND", pagesOf(store, id));
      },
    },
    {
      title: "says false for what is not there, and for what is gone already",
      run: async (store) => {
        const { id } = await store.create(aSession());
        assert.equal(await store.delete(aSession().id), false);
        assert.equal(await store.delete(id), true);
        assert.equal(await store.delete(id), false);
      },
    },
    {
      title: "never lets a deleted session come back through a later write",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 2);
        await store.delete(id);
        await rejectsWith("SESSION_NOT_FOUND", store.append(id, 2, someEntries(1, 3), lease));
        await rejectsWith("SESSION_NOT_FOUND", store.append(id, 0, someEntries(1), lease));
        await rejectsWith("SESSION_NOT_FOUND", store.seal(id, { from: 1, head: 2 }, someEntries(1), lease));
        await rejectsWith("SESSION_NOT_FOUND", store.update(id, { title: "back" }));
        await rejectsWith("SESSION_NOT_FOUND", store.update(id, { title: "back" }, lease));
        await rejectsWith("SESSION_NOT_FOUND", store.renew(lease));
        await rejectsWith("SESSION_NOT_FOUND", store.acquire(id, aRequest()));
        await store.release(lease);
        await store.flush();
        assert.equal(await store.get(id), undefined);
        assert.deepEqual(await store.list(), { items: [] });
        assert.equal(await store.count(), 0);
      },
    },
    {
      title: "deletes while others write to the session, and nothing of it remains",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 0);
        const writes = Array.from({ length: 10 }, (_, i) => [
          store.append(id, i, someEntries(1, i + 1), lease),
          store.update(id, { title: `${i}` }),
          ...(i === 5 ? [store.delete(id)] : []),
        ]);
        const results = await Promise.allSettled(writes.flat());
        for (const result of results) {
          if (result.status === "fulfilled") continue;
          const { code } = result.reason as { code?: string };
          assert.ok(code === "SESSION_NOT_FOUND" || code === "STORE_CONFLICT", `${code}`);
        }
        assert.equal(await store.get(id), undefined);
        assert.deepEqual(await store.list(), { items: [] });
        const { sessions, entries } = await store.stats();
        assert.deepEqual([sessions, entries], [0, 0]);
      },
    },
    {
      title: "deletes under a lease only while it is held",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 3);
        const other = await aJournal(store, 1);
        const { lease: second } = await store.acquire(id, aRequest({ mayTake: () => true }));
        for (const lost of [lease, { ...other.lease, fence: second.fence }])
          await rejectsWith("LEASE_LOST", store.delete(id, lost));
        await store.release(second);
        await rejectsWith("LEASE_LOST", store.delete(id, second));
        assert.equal((await entriesOf(store, id)).length, 3);
        // One that has run out is held still, until somebody takes it.
        const { lease: third } = await store.acquire(id, aRequest({ ttlMs: 0 }));
        assert.equal(await store.delete(id, third), true);
        assert.equal(await store.get(id), undefined);
        assert.equal(await store.delete(id, third), false);
        await store.delete(other.id);
        const { sessions, entries } = await store.stats();
        assert.deepEqual([sessions, entries], [0, 0]);
      },
    },
    {
      title: "leaves a fork whose lease was lost with all that it inherits",
      run: async (store) => {
        const { id } = await aJournal(store, 3);
        const fork = await store.create(aSession({ lineage: { parentId: id, atSeq: 3 } }));
        const { lease: lost } = await store.acquire(fork.id, aRequest());
        await store.acquire(fork.id, aRequest({ mayTake: () => true }));
        await rejectsWith("LEASE_LOST", store.delete(fork.id, lost));
        assert.equal(await store.delete(id), true);
        assert.equal((await entriesOf(store, fork.id)).length, 3);
      },
    },
    {
      title: "deletes a session under its lease, or gives it to somebody else, and never both",
      run: async (store) => {
        for (let round = 0; round < 10; round += 1) {
          const { id, lease } = await aJournal(store, 1);
          const take = async () => {
            for (let reads = 0; reads < round; reads += 1) await store.get(id);
            return store.acquire(id, aRequest({ mayTake: () => true }));
          };
          const [deleted, taken] = await Promise.allSettled([store.delete(id, lease), take()]);
          const isDeleted = deleted.status === "fulfilled" && deleted.value;
          assert.equal(isDeleted, taken.status === "rejected");
          assert.equal((await store.get(id)) === undefined, isDeleted);
        }
      },
    },
    {
      title: "gives no entry of a deleted session to one created after it",
      run: async (store) => {
        const { id } = await aJournal(store, 5);
        await store.delete(id);
        const next = await aJournal(store, 0);
        assert.deepEqual(await pagesOf(store, next.id), []);
      },
    },
  ],
};
