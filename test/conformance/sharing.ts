import assert from "node:assert/strict";
import type { Lease } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import {
  aHolder,
  aJournal,
  always,
  aRequest,
  aSession,
  assertJournal,
  leaseOf,
  mustGet,
  rejectsWith,
  someEntries,
} from "./samples.ts";

export const sharing: Capability = {
  name: "two stores on one medium",
  checks: [
    {
      title: "shows one what the other wrote, at once",
      needs: "shared",
      run: async (store, { reopen }) => {
        const other = await reopen();
        const { id, lease } = await aJournal(store, 2, { metadata: { k: 1 } });
        await assertJournal(other, id, someEntries(2));
        assert.deepEqual(await other.list({ metadata: { k: 1 } }), await store.list());
        await other.update(id, { title: "from the other" });
        assert.equal((await mustGet(store, id)).title, "from the other");
        await store.append(id, 2, someEntries(1, 3), lease);
        await assertJournal(other, id, someEntries(3));
        assert.equal(await other.delete(id), true);
        assert.equal(await store.get(id), undefined);
        await rejectsWith("SESSION_NOT_FOUND", store.append(id, 3, someEntries(1, 4), lease));
      },
    },
    {
      title: "says by its mark, where it has one, that anything was written, also by the other",
      needs: "shared",
      run: async (store, { reopen }) => {
        const other = await reopen();
        const { id, lease } = await aJournal(store, 1);
        const changes: readonly (() => Promise<unknown>)[] = [
          () => other.create(aSession()),
          () => other.update(id, { title: "from the other" }),
          () => store.update(id, { title: "from this one" }),
          () => store.append(id, 1, someEntries(1, 2), lease),
          () => store.seal(id, { from: 2, head: 2 }, someEntries(1, 2), lease),
          () => other.renew({ ...lease, turnRunning: !lease.turnRunning }),
          () => other.release(lease),
          () => other.delete(id),
        ];
        for (const change of changes) {
          const before = await store.changeMark?.();
          await change();
          const after = await store.changeMark?.();
          if (before !== undefined || after !== undefined) assert.notEqual(after, before, String(change));
        }
      },
    },
    {
      title: "fences a holder out across stores",
      needs: "shared",
      run: async (store, { reopen }) => {
        const other = await reopen();
        const { id, lease } = await aJournal(store, 2);
        await rejectsWith("SESSION_BUSY", other.acquire(id, aRequest({ holder: aHolder("b") })));
        const taken = await leaseOf(other, id, aHolder("b"));
        assert.ok(taken.fence > lease.fence, `a fence beyond ${lease.fence}, not ${taken.fence}`);
        await rejectsWith("LEASE_LOST", store.append(id, 2, someEntries(1, 3), lease));
        assert.equal(await other.append(id, 2, someEntries(1, 3), taken), 3);
        await assertJournal(store, id, someEntries(3));
      },
    },
    {
      title: "gives a lease to one of two, race after race, and every append is one holder's",
      needs: "shared",
      run: async (store, { reopen }) => {
        const stores = [store, await reopen()];
        const { id } = await store.create(aSession());
        for (let round = 0; round < 10; round += 1) {
          const races = await Promise.allSettled(
            stores.map((each, i) => each.acquire(id, aRequest({ holder: aHolder(`${i}`) }))),
          );
          const won = races.flatMap((race) => (race.status === "fulfilled" ? [race.value.lease] : []));
          assert.equal(won.length, 1, `one holder in round ${round}`);
          const lease = won[0] as Lease;
          const taken = await (stores[round % 2] ?? store).acquire(id, aRequest({ mayTake: always }));
          const writes = await Promise.allSettled(
            [lease, taken.lease].map((each, i) =>
              (stores[i] ?? store).append(id, round, someEntries(1, round + 1), each),
            ),
          );
          assert.deepEqual(
            writes.map(({ status }) => status),
            ["rejected", "fulfilled"],
          );
          await store.release(taken.lease);
        }
        await assertJournal(store, id, someEntries(10));
      },
    },
    {
      title: "creates a session once, whoever asks",
      needs: "shared",
      run: async (store, { reopen }) => {
        const other = await reopen();
        for (let round = 0; round < 5; round += 1) {
          const given = aSession();
          const results = await Promise.allSettled([store.create(given), other.create(given)]);
          assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
        }
        assert.equal(await store.count(), 5);
      },
    },
    {
      title: "works on when the other one closes",
      needs: "shared",
      run: async (store, { reopen }) => {
        const other = await reopen();
        const { id, lease } = await aJournal(store, 1);
        await other.update(id, { title: "t" });
        await other.close();
        assert.equal(await store.append(id, 1, someEntries(1, 2), lease), 2);
        await store.flush();
        await assertJournal(store, id, someEntries(2));
      },
    },
  ],
};
