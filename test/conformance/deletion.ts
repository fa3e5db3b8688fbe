import assert from "node:assert/strict";
import type { Capability } from "./check.ts";
import { aJournal, aRequest, aSession, pagesOf, rejectsWith, someEntries } from "./samples.ts";

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
