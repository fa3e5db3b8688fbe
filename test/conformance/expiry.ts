import assert from "node:assert/strict";
import type { SessionId } from "../../src/base/ids.ts";
import type { Store } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import { anEntry, aSession, leaseOf, listAll, noon } from "./samples.ts";

/** What retention does: deletes page after page of what was idle since before `updatedBeforeMs`. */
async function expire(store: Store, updatedBeforeMs: number): Promise<number> {
  let gone = 0;
  for (;;) {
    const { items } = await store.list({ updatedBeforeMs, limit: 3 });
    if (items.length === 0) return gone;
    for (const { id } of items) if (await store.delete(id)) gone += 1;
    assert.ok(gone < 1000, "what is deleted is listed no more");
  }
}

export const expiry: Capability = {
  name: "expiry",
  checks: [
    {
      title: "lists and counts what was last active before an instant, and not what was at it",
      run: async (store) => {
        for (let i = 0; i < 5; i += 1) await store.create(aSession({ updatedAtMs: noon + i }));
        assert.equal(await store.count({ updatedBeforeMs: noon + 2 }), 2);
        assert.equal((await listAll(store, { updatedBeforeMs: noon + 2, limit: 1 })).length, 2);
        assert.equal(await store.count({ updatedBeforeMs: noon }), 0);
      },
    },
    {
      title: "expires exactly the idle ones, page by page",
      run: async (store) => {
        for (let i = 0; i < 20; i += 1) await store.create(aSession({ updatedAtMs: noon + i }));
        assert.equal(await expire(store, noon + 11), 11);
        assert.equal(await store.count(), 9);
        assert.equal(await expire(store, noon + 11), 0);
      },
    },
    {
      title: "spares a session that a touch, an append or an update made active again",
      run: async (store) => {
        const ids: SessionId[] = [];
        for (let i = 0; i < 4; i += 1) ids.push((await store.create(aSession())).id);
        const [touched, appended, renamed, idle] = ids as [SessionId, SessionId, SessionId, SessionId];
        await store.update(touched, { updatedAtMs: noon + 100 });
        await store.append(appended, 0, [anEntry("x", { atMs: noon + 100 })], await leaseOf(store, appended));
        await store.update(renamed, { title: "no activity" });
        const old = (await listAll(store, { updatedBeforeMs: noon + 50 })).map(({ id }) => id);
        assert.deepEqual(old, [idle, renamed]);
      },
    },
  ],
};
