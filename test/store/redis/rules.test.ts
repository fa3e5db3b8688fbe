/** What the scripts decide is what `rules.ts` decides: the same cases, the same refusals. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isSidecarError } from "../../../src/base/errors.ts";
import type { Lease, LeaseRequest, SessionRecord, Store } from "../../../src/store/contract.ts";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import { checkAppend, checkFork, checkLease, checkSeal, takeLease } from "../../../src/store/rules.ts";
import {
  aHolder,
  always,
  aRequest,
  aSession,
  leaseOf,
  mustGet,
  never,
  someEntries,
} from "../../conformance/samples.ts";
import { describeServer } from "../servers.ts";
import { redisSandbox } from "./sandbox.ts";

const upTo = (last: number, first = 0) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** How it ended: with what, or the code and the words of a refusal. */
async function outcome(act: () => unknown): Promise<unknown> {
  try {
    return await act();
  } catch (error) {
    if (!isSidecarError(error)) throw error;
    const { code, message, data } = error;
    return { code, message, data };
  }
}

describeServer("TEST_REDIS_URL", 6379, (url) => {
  const sandbox = redisSandbox(url);
  let store: Store;
  beforeAll(async () => {
    store = await openRedisStore({ url: sandbox.url });
  });
  afterAll(async () => {
    await store.close();
    await sandbox.close();
  });

  const [sealed, head] = [3, 5];
  /** Entries 1 … 3 are final, 4 and 5 are not. */
  async function aTurn(): Promise<{ record: SessionRecord; lease: Lease }> {
    const { id } = await store.create(aSession());
    const lease = await leaseOf(store, id);
    await store.seal(id, { from: 1, head: 0 }, someEntries(sealed), lease);
    await store.append(id, sealed, someEntries(head - sealed, sealed + 1), lease);
    return { record: await mustGet(store, id), lease };
  }

  const leases: Record<string, () => Promise<{ record: SessionRecord; lease: Lease }>> = {
    "that is held": aTurn,
    "that was taken over": async () => {
      const { record, lease } = await aTurn();
      await leaseOf(store, record.id, aHolder("b"));
      return { record: await mustGet(store, record.id), lease };
    },
    "that was given back": async () => {
      const { record, lease } = await aTurn();
      await store.release(lease);
      return { record: await mustGet(store, record.id), lease };
    },
    "that has run out": async () => {
      const { record, lease } = await aTurn();
      const over = await store.renew({ ...lease, ttlMs: 0 });
      return { record: await mustGet(store, record.id), lease: over };
    },
    "of another session": async () => ({ ...(await aTurn()), lease: (await aTurn()).lease }),
  };

  describe.each(Object.entries(leases))("under a lease %s", (_, given) => {
    it.each(upTo(6, 2))("an append after entry %i", async (after) => {
      const { record, lease } = await given();
      const expected = await outcome(() => {
        checkLease(record.id, record.lease, lease);
        checkAppend(record.id, record.headSeq, after);
        return after + 2;
      });
      expect(await outcome(() => store.append(record.id, after, someEntries(2), lease))).toEqual(expected);
    });

    const ranges = upTo(6, 4).flatMap((end) => upTo(8, 1).map((from) => ({ from, head: end })));
    it.each(ranges)("a seal from entry $from of a journal that ends at $head", async (range) => {
      const { record, lease } = await given();
      const expected = await outcome(() => {
        checkLease(record.id, record.lease, lease);
        checkSeal(record.id, record, range);
        return range.from + 1;
      });
      expect(await outcome(() => store.seal(record.id, range, someEntries(2), lease))).toEqual(expected);
      const { headSeq, sealedSeq } = await mustGet(store, record.id);
      const isDone = typeof expected === "number";
      expect([headSeq, sealedSeq]).toEqual(isDone ? [expected, expected] : [head, sealed]);
    });

    it("a change of the record", async () => {
      const { record, lease } = await given();
      const expected = await outcome(() => {
        checkLease(record.id, record.lease, lease);
        return "new";
      });
      const changing = async () => (await store.update(record.id, { title: "new" }, lease)).title;
      expect(await outcome(changing)).toEqual(expected);
    });

    it.each([
      ["agreed to", always],
      ["not agreed to", never],
    ])("taking the lease, %s", async (_said, mayTake) => {
      const { record, lease } = await given();
      const request: LeaseRequest = aRequest({ holder: aHolder("c"), mayTake });
      const fence = record.lease?.fence ?? (record.id === lease.sessionId ? lease.fence : 1);
      const taken = (acquired: Awaited<ReturnType<Store["acquire"]>>) => {
        const { sinceMs: _since, expiresAtMs: _expires, ...rest } = acquired.lease;
        return { ...acquired, lease: rest };
      };
      const state = { lease: record.lease, fence };
      const expected = await outcome(() => taken(takeLease(record.id, state, request, Date.now())));
      expect(await outcome(async () => taken(await store.acquire(record.id, request)))).toEqual(expected);
    });
  });

  it.each(upTo(6))("a fork at entry %i", async (atSeq) => {
    const { record } = await aTurn();
    const lineage = { parentId: record.id, atSeq };
    const expected = await outcome(() => {
      checkFork(lineage, record.sealedSeq);
      return atSeq;
    });
    const forking = async () => (await store.create(aSession({ lineage }))).headSeq;
    expect(await outcome(forking)).toEqual(expected);
  });
});
