import assert from "node:assert/strict";
import type { SessionId } from "../../src/base/ids.ts";
import type { Metadata, Store } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import { aSession, listAll } from "./samples.ts";

async function found(store: Store, metadata: Metadata): Promise<SessionId[]> {
  const ids = (await store.list({ metadata })).items.map(({ id }) => id);
  assert.equal(await store.count({ metadata }), ids.length);
  return ids;
}

export const metadata: Capability = {
  name: "search by metadata",
  checks: [
    {
      title: "finds the sessions in which every given key equals",
      run: async (store) => {
        const both = await store.create(aSession({ metadata: { team: "blue", urgent: true } }));
        const one = await store.create(aSession({ metadata: { team: "blue", urgent: false } }));
        await store.create(aSession({ metadata: { team: "red" } }));
        assert.deepEqual(await found(store, { team: "blue" }), [one.id, both.id]);
        assert.deepEqual(await found(store, { team: "blue", urgent: true }), [both.id]);
        assert.deepEqual(await found(store, { team: "red", urgent: true }), []);
        assert.deepEqual(await found(store, { unheard: "of" }), []);
        assert.equal((await found(store, {})).length, 3);
      },
    },
    {
      title: "tells a text, a number and a truth value apart",
      run: async (store) => {
        const values = ["1", 1, true, "true", 0, "", false, 1.5, "1.5"];
        const ids: SessionId[] = [];
        for (const value of values) ids.push((await store.create(aSession({ metadata: { value } }))).id);
        for (const [i, value] of values.entries()) assert.deepEqual(await found(store, { value }), [ids[i]]);
      },
    },
    {
      title: "takes keys and values as they are",
      run: async (store) => {
        const odd = [
          "a.b",
          "a",
          "$",
          "'",
          '"',
          "%",
          "é",
          "",
          "__proto__",
          "constructor",
          "a\\b",
          "a=b",
          "a:b",
        ];
        for (const key of odd) {
          const entries = JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(`of ${key}`)}}`) as Metadata;
          const { id } = await store.create(aSession({ metadata: entries }));
          assert.deepEqual(await found(store, entries), [id], `key ${JSON.stringify(key)}`);
        }
        assert.deepEqual(await found(store, { a: "of a.b" }), []);
        assert.deepEqual(await found(store, { toString: "x" }), []);
      },
    },
    {
      title: "follows an update, and forgets a deleted session",
      run: async (store) => {
        const { id } = await store.create(aSession({ metadata: { state: "new", kept: 1 } }));
        await store.update(id, { metadata: { state: "done" } });
        assert.deepEqual(await found(store, { state: "done" }), [id]);
        assert.deepEqual(await found(store, { state: "new" }), []);
        assert.deepEqual(await found(store, { kept: 1 }), []);
        await store.delete(id);
        assert.deepEqual(await found(store, { state: "done" }), []);
      },
    },
    {
      title: "changes single values, and leaves all others to whoever changes them meanwhile",
      run: async (store) => {
        const { id } = await store.create(aSession({ metadata: { a: 1, b: "x", c: true } }));
        const changed = await store.update(id, { metadataChanges: { b: "y", c: null, "__proto__ d": 2 } });
        assert.deepEqual(changed.metadata, { a: 1, b: "y", "__proto__ d": 2 });
        const copy = (await store.get(id))?.metadata;
        assert.deepEqual(copy, changed.metadata);
        // A copy, whether it can be changed or not.
        if (!Object.isFrozen(copy)) Object.assign(copy ?? {}, { a: "tampered" });
        assert.deepEqual(await found(store, { a: 1, b: "y" }), [id]);
        assert.deepEqual(await found(store, { c: true }), []);
        assert.deepEqual(await found(store, { b: "x" }), []);
        const names = Array.from({ length: 8 }, (_, i) => `k${i}`);
        await Promise.all(names.map((name) => store.update(id, { metadataChanges: { [name]: name } })));
        const all = Object.fromEntries(names.map((name) => [name, name]));
        assert.deepEqual((await store.get(id))?.metadata, { ...changed.metadata, ...all });
        const both = await store.update(id, { metadata: { z: 1, y: 1 }, metadataChanges: { y: null, x: 3 } });
        assert.deepEqual(both.metadata, { z: 1, x: 3 });
      },
    },
    {
      title: "leaves out the sessions in which one of some values equals",
      run: async (store) => {
        const ids: SessionId[] = [];
        for (let i = 0; i < 9; i += 1) {
          const facts = {
            cwd: i % 2 ? "/a" : "/b",
            metadata: { ...(i % 3 === 0 && { taken: true, by: i }) },
          };
          ids.unshift((await store.create(aSession(facts))).id);
        }
        const without = (filter: object) => listAll(store, { limit: 2, ...filter });
        const free = ids.filter((_, at) => (8 - at) % 3 !== 0);
        const withoutTaken = { withoutMetadata: { taken: true } };
        assert.deepEqual(
          (await without(withoutTaken)).map(({ id }) => id),
          free,
        );
        assert.equal(await store.count(withoutTaken), 6);
        assert.equal(await store.count({ withoutMetadata: { by: 3 } }), 8);
        assert.equal(await store.count({ withoutMetadata: { by: 3, taken: false } }), 8);
        assert.equal((await without({ ...withoutTaken, cwd: "/a" })).length, 3);
        assert.equal(await store.count({ ...withoutTaken, cwd: "/a" }), 3);
        assert.deepEqual(await without({ metadata: { by: 3 }, withoutMetadata: { taken: true } }), []);
        const [first] = ids.filter((id) => !free.includes(id));
        if (first !== undefined) await store.update(first, { metadataChanges: { taken: null } });
        assert.equal(await store.count(withoutTaken), 7);
      },
    },
    {
      title: "pages through what it finds, together with other filters",
      run: async (store) => {
        for (let i = 0; i < 20; i += 1) {
          await store.create(aSession({ cwd: i % 2 ? "/a" : "/b", metadata: { kind: i % 4 ? "x" : "y" } }));
        }
        const all = await listAll(store, { metadata: { kind: "x" }, cwd: "/a", limit: 3 });
        assert.equal(all.length, 10);
        assert.equal(new Set(all.map(({ id }) => id)).size, 10);
        assert.equal((await listAll(store, { metadata: { kind: "x" }, limit: 4 })).length, 15);
      },
    },
  ],
};
