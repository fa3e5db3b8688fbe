import assert from "node:assert/strict";
import type { Store } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import { aHolder, aRequest, anEntry, aSession, entriesOf, mustGet, pagesOf } from "./samples.ts";

/** Overwrites whatever can be reached from `value`. What is frozen resists, and that is fine. */
function tamper(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    tamper(each);
    Reflect.set(value, key, "tampered");
  }
  if (Array.isArray(value) && Object.isExtensible(value)) value.push("tampered");
  Reflect.set(value, "tampered", true);
}

const facts = () => ({
  title: "t",
  additionalDirectories: ["/d"],
  client: { info: { name: "zed" }, capabilities: { list: [{ deep: 1 }] } },
  agent: { info: { name: "x" } },
  mcpServerNames: ["git"],
  agentSessionIds: ["a"],
  settings: { configOptions: { model: { name: "m" } } },
  metadata: { k: "v" },
});

/** That the session is the same before and after what `attempt` hands out has been tampered with. */
async function assertUntouched(store: Store, attempt: (id: ReturnType<typeof aSession>["id"]) => unknown) {
  const { id } = await store.create(aSession(facts()));
  const before = structuredClone(await mustGet(store, id));
  tamper(await attempt(id));
  assert.deepEqual(await mustGet(store, id), before);
  assert.deepEqual((await store.list()).items, [before]);
}

export const copies: Capability = {
  name: "copies that cannot change the store",
  checks: [
    {
      title: "get() hands out a copy",
      run: (store) => assertUntouched(store, (id) => store.get(id)),
    },
    {
      title: "list() hands out copies",
      run: (store) => assertUntouched(store, async () => store.list()),
    },
    {
      title: "create() and update() keep nothing of what they were given, and hand out copies",
      run: async (store) => {
        const given = structuredClone(aSession(facts()));
        const expected = structuredClone({ ...given, headSeq: 0, sealedSeq: 0 });
        const { id } = given;
        tamper(await store.create(given));
        tamper(given);
        assert.deepEqual(await store.get(id), expected);
        const patch = structuredClone({ ...facts(), title: "new", metadata: { other: 2 } });
        const patched = structuredClone({ ...expected, ...patch });
        tamper(await store.update(id, patch));
        tamper(patch);
        assert.deepEqual(await store.get(id), patched);
      },
    },
    {
      title: "append() and read() share no entry with the journal",
      run: async (store) => {
        const { id } = await store.create(aSession());
        const { lease } = await store.acquire(id, aRequest());
        const entries = [anEntry("a"), anEntry("b")];
        const expected = entries.map((entry, i) => ({ seq: i + 1, ...entry }));
        await store.append(id, 0, entries, lease);
        tamper(entries);
        tamper(await pagesOf(store, id));
        assert.deepEqual(await entriesOf(store, id), expected);
      },
    },
    {
      title: "leases are values: changing one changes nothing",
      run: async (store) => {
        const { id } = await store.create(aSession());
        const holder = { ...aHolder(), agent: { pid: 1, startedAt: "s" } };
        const given = structuredClone(holder);
        const { lease } = await store.acquire(id, aRequest({ holder: given }));
        const kept = structuredClone(lease);
        tamper(given);
        tamper(lease);
        assert.deepEqual((await mustGet(store, id)).lease?.holder, holder);
        const asked = store.acquire(id, aRequest({ mayTake: (current) => (tamper(current), false) }));
        await assert.rejects(asked);
        assert.deepEqual((await mustGet(store, id)).lease?.holder, holder);
        const renewing = structuredClone(kept);
        tamper(await store.renew(renewing));
        tamper(renewing);
        assert.deepEqual((await mustGet(store, id)).lease?.holder, holder);
      },
    },
  ],
};
