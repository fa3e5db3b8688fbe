import assert from "node:assert/strict";
import type { NewSession } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import { aSession, leaseOf, mustGet, noon, rejectsWith, withoutLease } from "./samples.ts";

/** Every field filled, with what tends to be lost on the way: nesting, empty values, scripts, odd keys. */
function rich(): NewSession {
  const client = {
    info: { name: "zed", version: "1" },
    capabilities: { fs: { read: true }, list: [1, null, []] },
  };
  return aSession({
    cwd: "/home/ada/größe 数 🚂",
    additionalDirectories: ["/a", "/b c"],
    title: 'A "title" with \\ and \n and 🚀',
    client,
    agent: { info: JSON.parse('{"__proto__": {"x": 1}, "": ""}') as { x: number }, command: "opencode" },
    mcpServerNames: ["git", "git"],
    agentSessionIds: ["first", "second"],
    settings: { modeId: "plan", configOptions: { model: "large", depth: 3, on: false, nothing: null } },
    metadata: { text: "1", number: 1, yes: true, zero: 0, empty: "", fraction: 1.5 },
  });
}

export const records: Capability = {
  name: "records",
  checks: [
    {
      title: "hands a session out as it was created, with an empty journal and no lease",
      run: async (store) => {
        for (const given of [rich(), aSession()]) {
          const expected = { ...given, headSeq: 0, sealedSeq: 0 };
          assert.deepEqual(await store.create(given), expected);
          assert.deepEqual(await store.get(given.id), expected);
        }
      },
    },
    {
      title: "knows nothing of a session that was not created",
      run: async (store) => {
        const { id } = aSession();
        assert.equal(await store.get(id), undefined);
        await rejectsWith("SESSION_NOT_FOUND", store.update(id, { title: "x" }));
        assert.equal(await store.get(id), undefined);
      },
    },
    {
      title: "refuses a second session under one id and leaves the first as it is",
      run: async (store) => {
        const first = aSession({ title: "first" });
        const kept = await store.create(first);
        await rejectsWith("SESSION_EXISTS", store.create({ ...first, title: "second" }));
        assert.deepEqual(await store.get(first.id), kept);
      },
    },
    {
      title: "updates what a patch names and nothing else",
      run: async (store) => {
        const given = rich();
        await store.create(given);
        const patch = { updatedAtMs: noon + 5, metadata: { only: "this" }, agentSessionIds: ["third"] };
        const expected = { ...given, ...patch, headSeq: 0, sealedSeq: 0 };
        assert.deepEqual(await store.update(given.id, patch), expected);
        assert.deepEqual(await store.get(given.id), expected);
      },
    },
    {
      title: "updates every field that a patch may name",
      run: async (store) => {
        const { id } = await store.create(aSession());
        const { additionalDirectories, title, client, agent, mcpServerNames, agentSessionIds } = rich();
        const patch = {
          additionalDirectories,
          title: title ?? null,
          client: client ?? {},
          agent: agent ?? {},
        };
        const more = {
          mcpServerNames,
          agentSessionIds,
          settings: rich().settings,
          metadata: rich().metadata,
        };
        const { headSeq, sealedSeq, ...facts } = await store.update(id, { ...patch, ...more });
        assert.deepEqual(facts, { ...aSession({ id }), ...patch, ...more });
        assert.deepEqual({ headSeq, sealedSeq }, { headSeq: 0, sealedSeq: 0 });
        assert.deepEqual(await mustGet(store, id), { ...facts, headSeq, sealedSeq });
      },
    },
    {
      title: "moves a session to another folder, where lists find it",
      run: async (store) => {
        const { id } = await store.create(aSession({ cwd: "/before" }));
        assert.equal((await store.update(id, { cwd: "/after" })).cwd, "/after");
        assert.equal((await mustGet(store, id)).cwd, "/after");
        assert.deepEqual((await store.list({ cwd: "/before" })).items, []);
        assert.deepEqual((await store.list({ cwd: "/after" })).items, [await mustGet(store, id)]);
        assert.deepEqual(
          [await store.count({ cwd: "/before" }), await store.count({ cwd: "/after" })],
          [0, 1],
        );
      },
    },
    {
      title: "sets a title, and clears it with null",
      run: async (store) => {
        const { id } = await store.create(aSession());
        assert.equal((await store.update(id, { title: "" })).title, "");
        const cleared = await store.update(id, { title: null });
        assert.ok(!Object.hasOwn(cleared, "title"), "the record has no key title");
        assert.ok(!Object.hasOwn(await mustGet(store, id), "title"), "the stored record has no key title");
      },
    },
    {
      title: "updates a record without touching its lease",
      run: async (store) => {
        const { id } = await store.create(aSession());
        await leaseOf(store, id);
        const { lease } = await mustGet(store, id);
        assert.deepEqual((await store.update(id, { title: "t" })).lease, lease);
      },
    },
    {
      title: "keeps sessions apart",
      run: async (store) => {
        const [a, b] = [await store.create(aSession()), await store.create(aSession())];
        await store.update(a.id, { title: "a", metadata: { a: 1 } });
        assert.deepEqual(withoutLease(await mustGet(store, b.id)), b);
      },
    },
  ],
};
