import assert from "node:assert/strict";
import type { Capability } from "./check.ts";
import { aHolder, aJournal, aRequest, aSession, assertJournal, mustGet, someEntries } from "./samples.ts";

/** How many of `attempts` succeeded; the others must have failed with one of `codes`. */
async function succeeded(attempts: readonly Promise<unknown>[], ...codes: string[]): Promise<number> {
  const results = await Promise.allSettled(attempts);
  for (const result of results) {
    if (result.status === "rejected") {
      const { code, message } = result.reason as { code?: string; message?: string };
      assert.ok(codes.includes(code ?? ""), `${code}: ${message}`);
    }
  }
  return results.filter(({ status }) => status === "fulfilled").length;
}

export const concurrency: Capability = {
  name: "concurrency",
  checks: [
    {
      title: "creates a session once, however many ask at the same time",
      run: async (store) => {
        const given = aSession();
        const attempts = Array.from({ length: 10 }, (_, i) => store.create({ ...given, title: `${i}` }));
        assert.equal(await succeeded(attempts, "SESSION_EXISTS"), 1);
        assert.equal(await store.count(), 1);
      },
    },
    {
      title: "carries out appends in the order of the calls, without waiting between them",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 0);
        const calls = Array.from({ length: 50 }, (_, i) => store.append(id, i, someEntries(1, i + 1), lease));
        assert.deepEqual(
          await Promise.all(calls),
          calls.map((_, i) => i + 1),
        );
        await assertJournal(store, id, someEntries(50));
      },
    },
    {
      title: "lets one of several batches for the same place in, whole",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 1);
        const attempts = Array.from({ length: 8 }, () => store.append(id, 1, someEntries(3, 2), lease));
        assert.equal(await succeeded(attempts, "STORE_CONFLICT"), 1);
        await assertJournal(store, id, someEntries(4));
      },
    },
    {
      title: "gives a free lease to one of several that ask",
      run: async (store) => {
        const { id } = await store.create(aSession());
        const attempts = Array.from({ length: 8 }, (_, i) =>
          store.acquire(id, aRequest({ holder: aHolder(`${i}`) })),
        );
        assert.equal(await succeeded(attempts, "SESSION_BUSY"), 1);
      },
    },
    {
      title: "loses no update of different fields made at the same time",
      run: async (store) => {
        const { id, lease } = await aJournal(store, 0);
        await Promise.all([
          store.update(id, { title: "t" }),
          store.update(id, { metadata: { m: 1 } }),
          store.update(id, { agentSessionIds: ["a"] }, lease),
          store.append(id, 0, someEntries(3), lease),
          store.update(id, { settings: { modeId: "plan" } }),
          store.append(id, 3, someEntries(1, 4), lease),
        ]);
        const record = await mustGet(store, id);
        const { title, metadata, agentSessionIds, settings, headSeq } = record;
        const expected = { title: "t", metadata: { m: 1 }, agentSessionIds: ["a"], headSeq: 4 };
        const found = { title, metadata, agentSessionIds, settings, headSeq };
        assert.deepEqual(found, { ...expected, settings: { modeId: "plan" } });
      },
    },
    {
      title: "keeps many sessions in step at once",
      run: async (store) => {
        const ids = await Promise.all(Array.from({ length: 16 }, () => aJournal(store, 0)));
        await Promise.all(
          ids.map(async ({ id, lease }) => {
            for (let i = 0; i < 10; i += 1) await store.append(id, i, someEntries(1, i + 1), lease);
          }),
        );
        for (const { id } of ids) await assertJournal(store, id, someEntries(10));
      },
    },
  ],
};
