import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { SessionId } from "../../src/base/ids.ts";
import type { Acquired, Lease, LeaseState, Store } from "../../src/store/contract.ts";
import type { Capability, Check } from "./check.ts";
import {
  aHolder,
  aJournal,
  always,
  aRequest,
  aSession,
  assertJournal,
  leaseOf,
  mustGet,
  refusalData,
  rejectsWith,
  someEntries,
} from "./samples.ts";

/** A store may go by the clock of its server. */
const clockSlackMs = 5000;

function stateOf({ holder, fence, sinceMs, expiresAtMs, turnRunning }: LeaseState): LeaseState {
  return { holder, fence, sinceMs, expiresAtMs, turnRunning };
}

function assertSoon(atMs: number, ttlMs: number): void {
  assert.ok(Math.abs(atMs - Date.now() - ttlMs) < clockSlackMs, `expires in about ${ttlMs} ms`);
}

/** Takes the lease as soon as the one before has run out: there is nothing else to wait for. */
async function acquireWhenRunOut(store: Store, id: SessionId): Promise<Acquired> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await store.acquire(id, aRequest({ holder: aHolder("b") }));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "SESSION_BUSY" || attempt > 200) throw error;
      await delay(5);
    }
  }
}

async function assertFenced(store: Store, lease: Lease, head: number): Promise<void> {
  const id = lease.sessionId;
  await rejectsWith("LEASE_LOST", store.append(id, head, someEntries(2, 90), lease));
  await rejectsWith("LEASE_LOST", store.seal(id, { from: head + 1, head }, someEntries(2, 90), lease));
  await rejectsWith("LEASE_LOST", store.update(id, { title: "fenced" }, lease));
  await rejectsWith("LEASE_LOST", store.renew(lease));
}

const taking: Check[] = [
  {
    title: "gives a free lease, and shows it in the record until it is released",
    run: async (store) => {
      const { id } = await store.create(aSession());
      const holder = { ...aHolder(), agent: { pid: 12, startedAt: "s" } };
      const { lease, previous } = await store.acquire(id, aRequest({ holder }));
      assert.equal(previous, undefined);
      assert.deepEqual(lease.holder, holder);
      assert.deepEqual([lease.sessionId, lease.ttlMs, lease.turnRunning], [id, 60_000, false]);
      assertSoon(lease.expiresAtMs, 60_000);
      assertSoon(lease.sinceMs, 0);
      assert.deepEqual((await mustGet(store, id)).lease, stateOf(lease));
      await store.release(lease);
      assert.ok(!Object.hasOwn(await mustGet(store, id), "lease"), "the record has no key lease");
    },
  },
  {
    title: "refuses a held lease, says who holds it, and leaves it to its holder",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 0);
      const asked: LeaseState[] = [];
      const mayTake = (current: LeaseState) => asked.push(current) < 0;
      const request = aRequest({ holder: aHolder("b"), mayTake });
      await rejectsWith("SESSION_BUSY", store.acquire(id, request));
      assert.deepEqual(asked[0], (await mustGet(store, id)).lease);
      const { host, pid } = aHolder();
      const since = new Date(lease.sinceMs).toISOString();
      const expected = { sessionId: id, holder: { host, pid }, since, turnRunning: false };
      assert.deepEqual(await refusalData(store.acquire(id, request)), expected);
      assert.equal(await store.append(id, 0, someEntries(1), lease), 1);
    },
  },
  {
    title: "asks even the holder itself before it takes its lease over",
    run: async (store) => {
      const { id } = await aJournal(store, 0);
      await rejectsWith("SESSION_BUSY", store.acquire(id, aRequest()));
      assert.ok((await store.acquire(id, aRequest({ mayTake: always }))).previous, "says who had it");
    },
  },
  {
    title: "tells a successor whose lease it took, and whether a turn was running",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 0);
      await store.append(id, 0, someEntries(1), { ...lease, turnRunning: true });
      const held = (await mustGet(store, id)).lease;
      assert.equal(held?.turnRunning, true);
      const taken = await store.acquire(id, aRequest({ holder: aHolder("b"), mayTake: always }));
      assert.deepEqual(taken.previous, held);
      // It runs until whoever has it now says otherwise: a third one that comes before that is told, too.
      assert.equal(taken.lease.turnRunning, true);
      assert.deepEqual((await mustGet(store, id)).lease, stateOf(taken.lease));
      const third = await store.acquire(id, aRequest({ holder: aHolder("c"), mayTake: always }));
      assert.equal(third.previous?.turnRunning, true);
      await store.seal(id, { from: 2, head: 1 }, someEntries(1, 2), { ...third.lease, turnRunning: false });
      const fourth = await store.acquire(id, aRequest({ mayTake: always }));
      assert.deepEqual([fourth.previous?.turnRunning, fourth.lease.turnRunning], [false, false]);
    },
  },
  {
    title: "takes a lease that has run out without asking, and tells whose it was",
    run: async (store) => {
      const { id } = await store.create(aSession());
      const { lease } = await store.acquire(id, aRequest({ ttlMs: 30 }));
      const { lease: next, previous } = await acquireWhenRunOut(store, id);
      assert.deepEqual(previous, stateOf(lease));
      assert.ok(next.fence > lease.fence, `a fence beyond ${lease.fence}, not ${next.fence}`);
      await assertFenced(store, lease, 0);
    },
  },
  {
    title: "has no lease to give for a session that is not there",
    run: async (store) => {
      const { lease } = await aJournal(store, 0);
      const { id } = aSession();
      await rejectsWith("SESSION_NOT_FOUND", store.acquire(id, aRequest()));
      await rejectsWith("SESSION_NOT_FOUND", store.renew({ ...lease, sessionId: id }));
      await store.release({ ...lease, sessionId: id });
    },
  },
];

const fencing: Check[] = [
  {
    title: "gives growing fencing numbers, across releases too",
    run: async (store) => {
      const { id } = await store.create(aSession());
      let last = -1;
      for (let i = 0; i < 6; i += 1) {
        const lease = await leaseOf(store, id);
        assert.ok(lease.fence > last, `a fence beyond ${last}, not ${lease.fence}`);
        last = lease.fence;
        if (i % 2 === 0) await store.release(lease);
      }
    },
  },
  {
    title: "lets a fenced holder write nothing",
    run: async (store) => {
      const { id, lease: old } = await aJournal(store, 2);
      const lease = await leaseOf(store, id, aHolder("b"));
      const before = await mustGet(store, id);
      await assertFenced(store, old, 2);
      await store.release(old);
      assert.deepEqual(await store.get(id), before);
      await assertJournal(store, id, someEntries(2));
      assert.equal(await store.append(id, 2, someEntries(1, 3), lease), 3);
      const data = await refusalData(store.append(id, 3, [], old));
      assert.deepEqual(data.holder, { host: aHolder("b").host, pid: aHolder("b").pid });
    },
  },
  {
    title: "lets nobody write under a lease that was released",
    run: async (store) => {
      const { lease } = await aJournal(store, 2);
      await store.release(lease);
      await store.release(lease);
      await assertFenced(store, lease, 2);
      await assertJournal(store, lease.sessionId, someEntries(2));
    },
  },
  {
    title: "takes no lease of one session for another",
    run: async (store) => {
      const [a, b] = [await aJournal(store, 1), await aJournal(store, 1)];
      await rejectsWith("LEASE_LOST", store.append(a.id, 1, someEntries(1, 2), b.lease));
      await rejectsWith("LEASE_LOST", store.update(a.id, { title: "x" }, b.lease));
      await assertJournal(store, a.id, someEntries(1));
    },
  },
  {
    title: "goes by the fencing number and not by the clock while nobody has taken the lease",
    run: async (store) => {
      const { id } = await store.create(aSession());
      const { lease } = await store.acquire(id, aRequest({ ttlMs: 1 }));
      await delay(10);
      assert.equal(await store.append(id, 0, someEntries(1), { ...lease, ttlMs: 60_000 }), 1);
      await rejectsWith("SESSION_BUSY", store.acquire(id, aRequest({ holder: aHolder("b") })));
    },
  },
];

const renewing: Check[] = [
  {
    title: "renews expiry, holder and whether a turn runs, and keeps since and fence",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 0);
      const holder = { ...aHolder(), agent: { pid: 99, startedAt: "later" } };
      const renewed = await store.renew({ ...lease, holder, ttlMs: 120_000, turnRunning: true });
      assert.deepEqual(
        [renewed.fence, renewed.sinceMs, renewed.ttlMs],
        [lease.fence, lease.sinceMs, 120_000],
      );
      assert.deepEqual([renewed.holder, renewed.turnRunning, renewed.sessionId], [holder, true, id]);
      assertSoon(renewed.expiresAtMs, 120_000);
      assert.deepEqual((await mustGet(store, id)).lease, stateOf(renewed));
    },
  },
  {
    title: "extends the lease with every write, and stores whether a turn runs",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 0);
      const writes = [
        (held: Lease) => store.append(id, 0, someEntries(1), held),
        (held: Lease) => store.seal(id, { from: 2, head: 1 }, [], held),
        (held: Lease) => store.update(id, { title: "t" }, held),
      ];
      for (const [i, write] of writes.entries()) {
        for (const turnRunning of [true, false]) {
          const ttlMs = 100_000 * (i + 1) + (turnRunning ? 0 : 20_000);
          if (i > 0 || turnRunning) await write({ ...lease, ttlMs, turnRunning });
          else await store.append(id, 1, [], { ...lease, ttlMs, turnRunning });
          const held = (await mustGet(store, id)).lease;
          assert.ok(held, "the lease is held");
          assertSoon(held.expiresAtMs, ttlMs);
          assert.equal(held.turnRunning, turnRunning);
          assert.equal(held.sinceMs, lease.sinceMs);
        }
      }
    },
  },
  {
    title: "does not count lease traffic as activity",
    run: async (store) => {
      const { id, updatedAtMs } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.release(await store.renew(lease));
      assert.equal((await mustGet(store, id)).updatedAtMs, updatedAtMs);
    },
  },
];

export const leases: Capability = {
  name: "leases and fencing",
  checks: [...taking, ...fencing, ...renewing],
};
