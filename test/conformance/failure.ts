import assert from "node:assert/strict";
import type { Capability } from "./check.ts";
import { aHolder, aJournal, aRequest, assertJournal, mustGet, rejectsWith, someEntries } from "./samples.ts";

export const failure: Capability = {
  name: "failure",
  checks: [
    {
      title: "lets no refused write take another one with it, whether it was called before or behind it",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 0);
        const other = await aJournal(store, 0);
        const good = [1, 2, 3, 4].map((seq) => () => store.append(id, seq - 1, someEntries(1, seq), lease));
        const bad = [
          () => rejectsWith("STORE_CONFLICT", store.append(id, 99, someEntries(3), lease)),
          () => rejectsWith("LEASE_LOST", store.append(id, 2, someEntries(3), other.lease)),
          () => rejectsWith("STORE_CONFLICT", store.seal(id, { from: 9, head: 9 }, [], lease)),
        ];
        // All are called before the first has been answered.
        const calls: Promise<unknown>[] = [];
        for (const [at, write] of good.entries()) {
          calls.push(write());
          const refused = bad[at]?.();
          if (refused !== undefined) calls.push(refused);
        }
        calls.push(store.append(other.id, 0, someEntries(2), other.lease));
        await Promise.all(calls);
        await assertJournal(store, id, someEntries(4));
        await assertJournal(store, other.id, someEntries(2));
      },
    },
    {
      title: "leaves everything as it was when what it asks about a lease throws",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 2);
        const before = await mustGet(store, id);
        const mayTake = (): boolean => {
          throw new Error("cannot say");
        };
        await assert.rejects(store.acquire(id, aRequest({ holder: aHolder("b"), mayTake })));
        assert.deepEqual(await store.get(id), before);
        assert.equal(await store.append(id, 2, someEntries(1, 3), lease), 3);
        await assertJournal(store, id, someEntries(3));
      },
    },
  ],
};
