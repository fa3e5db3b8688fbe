import assert from "node:assert/strict";
import type { EntryKind } from "../../src/store/contract.ts";
import type { Capability, Check } from "./check.ts";
import {
  aJournal,
  anEntry,
  aSession,
  assertJournal,
  leaseOf,
  mustGet,
  noon,
  rejectsWith,
  someEntries,
} from "./samples.ts";

const kinds: EntryKind[] = [
  "prompt",
  "update",
  "request",
  "response",
  "setting",
  "message",
  "end",
  "rewind",
  "summary",
  "context",
];

const appends: Check[] = [
  {
    title: "appends batches one after the other, numbered from 1 without a gap",
    run: async (store) => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      assert.equal(await store.append(id, 0, someEntries(1), lease), 1);
      assert.equal(await store.append(id, 1, someEntries(3, 2), lease), 4);
      assert.equal(await store.append(id, 4, someEntries(1, 5), lease), 5);
      await assertJournal(store, id, someEntries(5));
      assert.equal((await mustGet(store, id)).sealedSeq, 0);
    },
  },
  {
    title: "keeps entries of every kind to the letter",
    run: async (store) => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      const data = '{ "b":1,"a" : 1.0, "n":12345678901234567890, "t":"\\u0000 \\ud83d \u2028 é 数 🚂" }';
      const entries = kinds.map((kind, i) => ({ kind, atMs: noon + i, data }));
      await store.append(id, 0, entries, lease);
      await assertJournal(store, id, entries);
    },
  },
  {
    title: "moves last activity to the time of the last entry",
    run: async (store) => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, [anEntry("a", { atMs: noon + 9 }), anEntry("b", { atMs: noon + 7 })], lease);
      assert.equal((await mustGet(store, id)).updatedAtMs, noon + 7);
      assert.equal((await store.list()).items[0]?.updatedAtMs, noon + 7);
    },
  },
  {
    title: "changes nothing when nothing is appended",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 2);
      const before = await mustGet(store, id);
      assert.equal(await store.append(id, 2, [], lease), 2);
      assert.equal((await mustGet(store, id)).updatedAtMs, before.updatedAtMs);
      await assertJournal(store, id, someEntries(2));
    },
  },
  {
    title: "refuses a batch that does not continue the journal, and takes no part of it",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 3);
      for (const after of [0, 2, 4, 5]) {
        await rejectsWith("STORE_CONFLICT", store.append(id, after, someEntries(4, 100), lease));
      }
      await assertJournal(store, id, someEntries(3));
      assert.equal(await store.append(id, 3, someEntries(1, 4), lease), 4);
      await assertJournal(store, id, someEntries(4));
    },
  },
  {
    title: "appends to no session that is not there",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 0);
      const unknown = aSession().id;
      const foreign = { ...lease, sessionId: unknown };
      await rejectsWith("SESSION_NOT_FOUND", store.append(unknown, 0, someEntries(1), foreign));
      await rejectsWith("SESSION_NOT_FOUND", store.seal(unknown, { from: 1, head: 0 }, [], foreign));
      await assertJournal(store, id, []);
    },
  },
];

const seals: Check[] = [
  {
    title: "puts sealed entries in the place of a turn's chunks, and goes on behind them",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 2);
      await store.append(id, 2, someEntries(5, 100), lease);
      assert.equal(await store.seal(id, { from: 3, head: 7 }, someEntries(2, 3), lease), 4);
      await assertJournal(store, id, someEntries(4));
      assert.equal((await mustGet(store, id)).sealedSeq, 4);
      assert.equal(await store.append(id, 4, someEntries(1, 5), lease), 5);
      await assertJournal(store, id, someEntries(5));
      assert.equal((await mustGet(store, id)).sealedSeq, 4);
    },
  },
  {
    title: "keeps entries before the sealed ones, and marks them final too",
    run: async (store) => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(4), lease);
      assert.equal(await store.seal(id, { from: 4, head: 4 }, someEntries(1, 4), lease), 4);
      await assertJournal(store, id, someEntries(4));
      assert.equal((await mustGet(store, id)).sealedSeq, 4);
    },
  },
  {
    title: "seals into more entries than there were, into none, and without replacing any",
    run: async (store) => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(1, 50), lease);
      assert.equal(await store.seal(id, { from: 1, head: 1 }, someEntries(3), lease), 3);
      assert.equal(await store.seal(id, { from: 4, head: 3 }, someEntries(1, 4), lease), 4);
      await store.append(id, 4, someEntries(2, 60), lease);
      assert.equal(await store.seal(id, { from: 5, head: 6 }, [], lease), 4);
      await assertJournal(store, id, someEntries(4));
    },
  },
  {
    title: "moves last activity forward with a seal, and never back",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 2);
      const updatedAtMs = noon + 99_000;
      await store.seal(id, { from: 3, head: 2 }, [anEntry("late", { atMs: updatedAtMs })], lease);
      assert.equal((await mustGet(store, id)).updatedAtMs, updatedAtMs);
      await store.seal(id, { from: 4, head: 3 }, [anEntry("early", { atMs: noon })], lease);
      await store.seal(id, { from: 5, head: 4 }, [], lease);
      assert.equal((await mustGet(store, id)).updatedAtMs, updatedAtMs);
      assert.equal((await store.list()).items[0]?.updatedAtMs, updatedAtMs);
    },
  },
  {
    title: "refuses to seal what is final, what is not the journal's end, and what would leave a gap",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 3);
      await store.append(id, 3, someEntries(2, 4), lease);
      const wrong = [
        { from: 3, head: 5 },
        { from: 1, head: 5 },
        { from: 4, head: 4 },
        { from: 4, head: 6 },
        { from: 7, head: 5 },
      ];
      for (const range of wrong) {
        await rejectsWith("STORE_CONFLICT", store.seal(id, range, someEntries(3, 70), lease));
      }
      await assertJournal(store, id, someEntries(5));
      assert.equal((await mustGet(store, id)).sealedSeq, 3);
    },
  },
  {
    title: "finds a batch appended after a seal refused when its writer does not know of the seal",
    run: async (store) => {
      const { id, lease } = await aJournal(store, 0);
      await store.append(id, 0, someEntries(5), lease);
      await store.seal(id, { from: 1, head: 5 }, someEntries(2), lease);
      await rejectsWith("STORE_CONFLICT", store.append(id, 5, someEntries(1, 6), lease));
      await assertJournal(store, id, someEntries(2));
    },
  },
];

export const appendAndSeal: Capability = { name: "append and seal", checks: [...appends, ...seals] };
