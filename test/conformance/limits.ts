import assert from "node:assert/strict";
import type { Capability } from "./check.ts";
import {
  aJournal,
  anEntry,
  aSession,
  assertJournal,
  entriesOf,
  leaseOf,
  mustGet,
  someEntries,
} from "./samples.ts";

export const limits: Capability = {
  name: "limits",
  checks: [
    {
      title: "takes an entry of 8 MiB",
      run: async (store) => {
        const { id } = await store.create(aSession());
        const entry = anEntry("é".repeat(4 << 20));
        await store.append(id, 0, [entry, anEntry("small")], await leaseOf(store, id));
        await assertJournal(store, id, [entry, anEntry("small")]);
      },
    },
    {
      title: "takes 20,000 entries in one batch, and seals them into one",
      run: async (store) => {
        const { id } = await store.create(aSession());
        const lease = await leaseOf(store, id);
        assert.equal(await store.append(id, 0, someEntries(20_000), lease), 20_000);
        assert.equal((await entriesOf(store, id, { from: 19_999 })).at(-1)?.seq, 20_000);
        assert.equal(await store.seal(id, { from: 2, head: 20_000 }, [anEntry("all")], lease), 2);
        await assertJournal(store, id, [...someEntries(1), anEntry("all")]);
      },
    },
    {
      title: "takes long texts and many values in a record",
      run: async (store) => {
        const metadata = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key ${i}`, i]));
        const cwd = `/${"long/".repeat(800)}`;
        const agentSessionIds = Array.from({ length: 200 }, (_, i) => `agent session ${i}`);
        const given = aSession({ cwd, title: "🚂".repeat(20_000), metadata, agentSessionIds });
        await store.create(given);
        assert.deepEqual(await mustGet(store, given.id), { ...given, headSeq: 0, sealedSeq: 0 });
        assert.equal(await store.count({ cwd, agentSessionId: "agent session 150" }), 1);
        assert.equal(await store.count({ metadata: { "key 199": 199, "key 0": 0 } }), 1);
      },
    },
    {
      title: "takes times at both ends of what a date can be",
      run: async (store) => {
        const id = (await store.create(aSession({ createdAtMs: 0, updatedAtMs: 0 }))).id;
        const lease = await leaseOf(store, id);
        const atMs = 8_640_000_000_000_000;
        await store.append(id, 0, [anEntry("x", { atMs })], lease);
        assert.equal((await mustGet(store, id)).updatedAtMs, atMs);
        assert.equal((await entriesOf(store, id))[0]?.atMs, atMs);
      },
    },
    {
      title: "counts sessions and entries in its statistics",
      run: async (store) => {
        await aJournal(store, 5);
        const { id } = await aJournal(store, 7);
        const stats = await store.stats();
        assert.deepEqual([stats.sessions, stats.entries], [2, 12]);
        assert.ok(Number.isFinite(stats.bytes) && stats.bytes >= 0, `bytes is a number, not ${stats.bytes}`);
        await store.delete(id);
        const { sessions, entries } = await store.stats();
        assert.deepEqual([sessions, entries], [1, 5]);
      },
    },
  ],
};
