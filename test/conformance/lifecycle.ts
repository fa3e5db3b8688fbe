import assert from "node:assert/strict";
import type { Capability } from "./check.ts";
import {
  aJournal,
  aRequest,
  aSession,
  assertJournal,
  leaseOf,
  pagesOf,
  rejectsWith,
  someEntries,
} from "./samples.ts";

export const lifecycle: Capability = {
  name: "lifecycle",
  checks: [
    {
      title: "declares the name and the capabilities that it is judged by",
      run: async (store, { subject }) => {
        assert.match(store.name, /^[a-z]+$/);
        assert.deepEqual({ ...store.capabilities }, { ...subject.capabilities });
      },
    },
    {
      title: "starts empty",
      run: async (store) => {
        assert.deepEqual(await store.list(), { items: [] });
        const { sessions, entries } = await store.stats();
        assert.deepEqual([await store.count(), sessions, entries], [0, 0, 0]);
      },
    },
    {
      title: "flushes what was written, at any time and several times at once",
      run: async (store) => {
        await store.flush();
        const { id, lease } = await aJournal(store, 2);
        await Promise.all([store.flush(), store.append(id, 2, someEntries(1, 3), lease), store.flush()]);
        await assertJournal(store, id, someEntries(3));
      },
    },
    {
      title: "is closed when a block that it is used in ends",
      run: async (store) => {
        await store[Symbol.asyncDispose]();
        await rejectsWith("STORE_CLOSED", store.count());
        await store.close();
      },
    },
    {
      title: "refuses every call once it is closed, and closes twice",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 2);
        const reading = store.read(id)[Symbol.asyncIterator]();
        await store.close();
        await store.close();
        await rejectsWith("STORE_CLOSED", store.create(aSession()));
        await rejectsWith("STORE_CLOSED", store.get(id));
        await rejectsWith("STORE_CLOSED", store.update(id, {}));
        await rejectsWith("STORE_CLOSED", store.delete(id));
        await rejectsWith("STORE_CLOSED", store.list());
        await rejectsWith("STORE_CLOSED", store.count());
        await rejectsWith("STORE_CLOSED", store.append(id, 2, someEntries(1), lease));
        await rejectsWith("STORE_CLOSED", store.seal(id, { from: 3, head: 2 }, [], lease));
        await rejectsWith("STORE_CLOSED", pagesOf(store, id));
        await rejectsWith("STORE_CLOSED", reading.next());
        await rejectsWith("STORE_CLOSED", store.acquire(id, aRequest()));
        await rejectsWith("STORE_CLOSED", store.renew(lease));
        await rejectsWith("STORE_CLOSED", store.release(lease));
        await rejectsWith("STORE_CLOSED", store.flush());
        await rejectsWith("STORE_CLOSED", store.stats());
      },
    },
    {
      title: "has everything after a close and a reopen",
      needs: "persistent",
      run: async (store, { reopen }) => {
        const facts = { title: "t 🚂", metadata: { k: 1 }, agentSessionIds: ["a"] };
        const { id, lease } = await aJournal(store, 30, facts);
        await store.append(id, 30, someEntries(3, 31), { ...lease, turnRunning: true });
        const child = await store.create(aSession({ lineage: { parentId: id, atSeq: 20 } }));
        const gone = await aJournal(store, 5);
        await store.delete(gone.id);
        const before = [await store.get(id), await store.get(child.id)];
        await store.close();

        const again = await reopen();
        assert.deepEqual([await again.get(id), await again.get(child.id)], before);
        await assertJournal(again, id, someEntries(33));
        await assertJournal(again, child.id, someEntries(20));
        assert.equal(await again.get(gone.id), undefined);
        assert.deepEqual([await again.count(), await again.count({ metadata: { k: 1 } })], [2, 1]);
        assert.equal(await again.append(id, 33, someEntries(1, 34), lease), 34);
        const { fence } = await leaseOf(again, id);
        assert.ok(fence > lease.fence, `a fence beyond ${lease.fence}, not ${fence}`);
      },
    },
  ],
};
