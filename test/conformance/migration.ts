/** Sessions come from any store and go to any other, as `acp-sidecar migrate` takes them. */
import assert from "node:assert/strict";
import type { SessionId } from "../../src/base/ids.ts";
import { migrateSessions } from "../../src/care/migrate.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/contract.ts";
import type { Capability } from "./check.ts";
import {
  aJournal,
  aSession,
  entriesOf,
  leaseOf,
  listAll,
  mustGet,
  noon,
  someEntries,
  withoutLease,
} from "./samples.ts";

/** Sealed entries of the parent; more than a page has. */
const sealed = 1200;

/** A session with all that a record can have, and a fork of it that is not sealed to its end. */
async function aFamily(store: Store): Promise<readonly SessionId[]> {
  const { id: parent, lease } = await aJournal(store, sealed, {
    title: "Über alles",
    mcpServerNames: ["files"],
    agentSessionIds: ["agent-1", "agent-2"],
    settings: { modeId: "code" },
    metadata: { team: "engine", rank: 7, open: true },
  });
  const { id: fork } = await store.create(aSession({ lineage: { parentId: parent, atSeq: 3 } }));
  await store.append(fork, 3, someEntries(2, 4), await leaseOf(store, fork));
  // Older than its last entry: activity is what the record says it is.
  await store.update(parent, { updatedAtMs: noon + 500 }, lease);
  await store.release(lease);
  return [parent, fork];
}

async function assertSame(from: Store, to: Store, ids: readonly SessionId[]): Promise<void> {
  assert.equal((await listAll(to)).length, ids.length);
  for (const id of ids) {
    assert.deepEqual(withoutLease(await mustGet(to, id)), withoutLease(await mustGet(from, id)));
    assert.deepEqual(await entriesOf(to, id), await entriesOf(from, id));
  }
}

/** The store, until it has sealed so often. */
function failingAfter(store: Store, seals: number): Store {
  let done = 0;
  const seal: Store["seal"] = (...args) => {
    done += 1;
    return done > seals ? Promise.reject(new Error("interrupted")) : store.seal(...args);
  };
  return new Proxy(store, {
    get: (target, key) => {
      if (key === "seal") return seal;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

export const migration: Capability = {
  name: "migration",
  checks: [
    {
      title: "takes sessions from another store as they are there, and once",
      run: async (store) => {
        const from = openMemoryStore();
        const ids = await aFamily(from);
        assert.equal((await migrateSessions(from, store)).copied, ids.length);
        await assertSame(from, store, ids);
        assert.deepEqual(await migrateSessions(from, store), { copied: 0, skipped: ids.length, entries: 0 });
        await from.close();
      },
    },
    {
      title: "gives its sessions to another store as they are, and keeps them",
      run: async (store) => {
        const to = openMemoryStore();
        const ids = await aFamily(store);
        await migrateSessions(store, to);
        await assertSame(store, to, ids);
        await to.close();
      },
    },
    {
      title: "goes on with a copy that was interrupted where it stopped",
      run: async (store) => {
        const from = openMemoryStore();
        const ids = await aFamily(from);
        await assert.rejects(migrateSessions(from, failingAfter(store, 1)), /interrupted/);
        const { entries } = await migrateSessions(from, store);
        assert.ok(entries < sealed, `${entries} entries were written again`);
        await assertSame(from, store, ids);
        await from.close();
      },
    },
  ],
};
