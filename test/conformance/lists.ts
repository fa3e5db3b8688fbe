import assert from "node:assert/strict";
import { toSessionId, type SessionId } from "../../src/base/ids.ts";
import type { NewSession, Store } from "../../src/store/contract.ts";
import type { Capability, Check } from "./check.ts";
import { anEntry, aSession, leaseOf, listAll, noon, rejectsWith, someEntries } from "./samples.ts";

async function fill(
  store: Store,
  count: number,
  facts: (i: number) => Partial<NewSession>,
): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  for (let i = 0; i < count; i += 1) ids.push((await store.create(aSession(facts(i)))).id);
  return ids;
}

const idsOf = (sessions: readonly { readonly id: SessionId }[]): SessionId[] => sessions.map(({ id }) => id);

const order: Check[] = [
  {
    title: "lists the newest activity first, and the greatest id first among equals",
    run: async (store) => {
      const ids = await fill(store, 6, (i) => ({ updatedAtMs: noon + Math.floor(i / 2) }));
      const [a, b, c, d, e, f] = ids;
      assert.deepEqual(idsOf((await store.list()).items), [f, e, d, c, b, a]);
    },
  },
  {
    title: "lists the records that get() gives",
    run: async (store) => {
      const [id] = await fill(store, 1, () => ({ title: "t", agentSessionIds: ["x"], metadata: { k: 1 } }));
      assert.ok(id);
      await store.append(id, 0, someEntries(2), await leaseOf(store, id));
      assert.deepEqual((await store.list()).items, [await store.get(id)]);
    },
  },
  {
    title: "moves a session to the front when it is appended to or touched",
    run: async (store) => {
      const [a, b, c] = await fill(store, 3, (i) => ({ updatedAtMs: noon + i }));
      assert.ok(a && b && c);
      await store.update(b, { updatedAtMs: noon + 10 });
      assert.deepEqual(idsOf((await store.list()).items), [b, c, a]);
      await store.append(a, 0, [anEntry("x", { atMs: noon + 11 })], await leaseOf(store, a));
      assert.deepEqual(idsOf((await store.list()).items), [a, b, c]);
      await store.update(a, { title: "no activity" });
      await store.update(c, { updatedAtMs: noon + 12 });
      assert.deepEqual(idsOf((await store.list()).items), [c, a, b]);
    },
  },
];

const pages: Check[] = [
  {
    title: "pages through all sessions, none missed or doubled, equals included",
    run: async (store) => {
      const ids = await fill(store, 25, (i) => ({ updatedAtMs: noon + (i % 4) }));
      const whole = idsOf((await store.list({ limit: 1000 })).items);
      assert.equal(new Set(whole).size, ids.length);
      for (const limit of [1, 4, 5, 24, 25]) assert.deepEqual(idsOf(await listAll(store, { limit })), whole);
    },
  },
  {
    title: "gives a cursor exactly when there is more",
    run: async (store) => {
      await fill(store, 4, () => ({}));
      const first = await store.list({ limit: 3 });
      assert.equal(first.items.length, 3);
      assert.equal(typeof first.nextCursor, "string");
      assert.ok(
        !Object.hasOwn(await store.list({ limit: 4 }), "nextCursor"),
        "the last page has no key nextCursor",
      );
      assert.ok(
        !Object.hasOwn(await store.list({ cursor: first.nextCursor ?? "" }), "nextCursor"),
        "the last page has no key nextCursor",
      );
      assert.deepEqual(await store.list({ cwd: "/nowhere" }), { items: [] });
    },
  },
  {
    title: "keeps its place while sessions are added, touched and deleted between pages",
    run: async (store) => {
      const ids = await fill(store, 6, (i) => ({ updatedAtMs: noon + i }));
      const first = await store.list({ limit: 2 });
      assert.deepEqual(idsOf(first.items), [ids[5], ids[4]]);
      await fill(store, 2, () => ({ updatedAtMs: noon + 50 }));
      await store.update(ids[5] as SessionId, { updatedAtMs: noon + 60 });
      await store.delete(ids[4] as SessionId);
      await store.delete(ids[2] as SessionId);
      const rest = await listAll(store, { limit: 2, cursor: first.nextCursor ?? "" });
      assert.deepEqual(idsOf(rest), [ids[3], ids[1], ids[0]]);
    },
  },
  {
    title: "gives 50 sessions unless told, at least 1 and at most 1,000",
    run: async (store) => {
      // Many at once: what a medium waits for is waited for together.
      for (let some = 0; some < 6; some += 1)
        await Promise.all(Array.from({ length: 167 }, () => store.create(aSession())));
      const sizeOf = async (limit?: number) =>
        (await store.list(limit === undefined ? {} : { limit })).items.length;
      assert.deepEqual(
        [await sizeOf(), await sizeOf(0), await sizeOf(-5), await sizeOf(7), await sizeOf(5000)],
        [50, 1, 1, 7, 1000],
      );
    },
  },
  {
    title: "refuses a cursor that it did not give out",
    run: async (store) => {
      await fill(store, 2, () => ({}));
      for (const cursor of ["", "x", "bm9uc2Vuc2U", "MS4yLjM", "'; --"]) {
        await rejectsWith("INVALID_CURSOR", store.list({ cursor }));
      }
    },
  },
];

const filters: Check[] = [
  {
    title: "filters by directory, times, parent and agent session id, alone and together",
    run: async (store) => {
      const [a, b, c] = await fill(store, 3, (i) => ({
        updatedAtMs: noon + i,
        cwd: i === 2 ? "/other" : "/here",
        agentSessionIds: i === 0 ? ["old", "new"] : ["of-others"],
      }));
      assert.ok(a && b && c);
      const lineage = { parentId: a, atSeq: 0 };
      const { id: d } = await store.create(aSession({ updatedAtMs: noon + 3, cwd: "/here", lineage }));
      const found = async (filter: Parameters<Store["count"]>[0]) => {
        const ids = idsOf((await store.list(filter)).items);
        assert.equal(await store.count(filter), ids.length);
        return ids;
      };
      assert.deepEqual(await found({}), [d, c, b, a]);
      assert.deepEqual(await found({ cwd: "/here" }), [d, b, a]);
      assert.deepEqual(await found({ cwd: "/her" }), []);
      assert.deepEqual(await found({ updatedSinceMs: noon + 1 }), [d, c, b]);
      assert.deepEqual(await found({ updatedBeforeMs: noon + 1 }), [a]);
      assert.deepEqual(await found({ updatedSinceMs: noon + 1, updatedBeforeMs: noon + 3 }), [c, b]);
      assert.deepEqual(await found({ parentId: a }), [d]);
      assert.deepEqual(await found({ agentSessionId: "old" }), [a]);
      assert.deepEqual(await found({ agentSessionId: "new" }), [a]);
      assert.deepEqual(await found({ agentSessionId: "of-others", cwd: "/here" }), [b]);
      assert.deepEqual(await found({ parentId: a, cwd: "/other" }), []);
    },
  },
  {
    title: "finds sessions by the beginning and the end of their ids",
    run: async (store) => {
      const names = [
        "01KA0000000000000000000ABC",
        "01KB0000000000000000000ABC",
        "01KB0000000000000000000XYZ",
      ];
      for (const [i, id] of names.entries())
        await store.create(
          aSession({ id: toSessionId(id), updatedAtMs: noon + i, cwd: i === 0 ? "/a" : "/b" }),
        );
      const [a, b, c] = names;
      const found = async (filter: Parameters<Store["count"]>[0]) => {
        const ids = idsOf((await store.list(filter)).items);
        assert.equal(await store.count(filter), ids.length);
        assert.deepEqual(idsOf(await listAll(store, { ...filter, limit: 1 })), ids);
        return ids;
      };
      assert.deepEqual(await found({ idStartsWith: "01KB" }), [c, b]);
      assert.deepEqual(await found({ idEndsWith: "0ABC" }), [b, a]);
      assert.deepEqual(await found({ idStartsWith: "01KB", idEndsWith: "ABC" }), [b]);
      assert.deepEqual(await found({ idStartsWith: "01KA0000000000000000000ABC" }), [a]);
      assert.deepEqual(await found({ idStartsWith: "1KB" }), []);
      assert.deepEqual(await found({ idEndsWith: "abc" }), []);
      assert.deepEqual(await found({ idStartsWith: "01KZ" }), []);
      for (const wild of ["%", "_", "*", "?", "[", "%ABC"])
        assert.deepEqual(await found({ idEndsWith: wild }), []);
      assert.deepEqual(await found({ idEndsWith: "ABC", cwd: "/b" }), [b]);
      assert.deepEqual(await found({ idEndsWith: "ABC", updatedBeforeMs: noon + 1 }), [a]);
    },
  },
  {
    title: "finds sessions by what a patch made of them",
    run: async (store) => {
      const [a] = await fill(store, 2, () => ({ agentSessionIds: ["first"] }));
      assert.ok(a);
      await store.update(a, { agentSessionIds: ["first", "second"] });
      assert.deepEqual(idsOf((await store.list({ agentSessionId: "second" })).items), [a]);
      assert.equal(await store.count({ agentSessionId: "first" }), 2);
      await store.update(a, { agentSessionIds: [] });
      assert.equal(await store.count({ agentSessionId: "first" }), 1);
    },
  },
  {
    title: "pages through filtered lists",
    run: async (store) => {
      await fill(store, 30, (i) => ({ cwd: i % 3 === 0 ? "/a" : "/b", updatedAtMs: noon + (i % 5) }));
      const whole = idsOf((await store.list({ cwd: "/a", limit: 100 })).items);
      assert.equal(whole.length, 10);
      assert.deepEqual(idsOf(await listAll(store, { cwd: "/a", limit: 3 })), whole);
    },
  },
];

export const lists: Capability = { name: "list and filters", checks: [...order, ...pages, ...filters] };
