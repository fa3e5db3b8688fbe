/** A record whose copy of the rewinds was written over knows of them again, so that nothing superseded comes back. */
import { expect, it, vi } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import type { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { aSession, anEntry, leaseOf, mustGet } from "../conformance/samples.ts";
import { onEveryStore } from "./every-store.ts";
import { all, registryOf } from "./registry-rig.ts";

const message = (words: string) =>
  anEntry("", {
    kind: "message",
    data: JSON.stringify({ role: "user", content: [{ type: "text", text: words }] }),
  });

async function threeMessages(store: Store): Promise<SessionId> {
  const { id } = await store.create(
    aSession({ agent: { command: "a" }, agentSessionIds: ["theirs"], settings: { modeId: "m" } }),
  );
  const lease = await leaseOf(store, id);
  await store.seal(id, { from: 1, head: 0 }, ["one", "two", "three"].map(message), lease);
  await store.release(lease);
  return id;
}

const said = async (registry: SessionRegistry, id: SessionId) =>
  (await all(registry.messages(id))).map(({ content }) => (content[0] as { text: string }).text);

/** The store, with some of its methods done otherwise. */
function bent(store: Store, others: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(key in others ? others : target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** What somebody writes who does not know of the rewind. */
const stale = { settings: { modeId: "other", ownAgentIds: 1 } };
const known = { modeId: "other", rewinds: [{ at: 4, toSeq: 1 }], ownAgentIds: 0 };

onEveryStore((open) => {
  it("settings that are changed without holding the session keep its rewinds, whatever the patch says", async () => {
    const { registry, store } = registryOf({ store: await open() });
    const id = await threeMessages(store);
    const { settings } = await registry.rewind(id, 1);
    await registry.update(id, () => ({ settings: { modeId: "other" } }));
    expect((await mustGet(store, id)).settings).toEqual({ modeId: "other", rewinds: settings.rewinds });
    await registry.update(id, () => ({ settings: { rewinds: [] } }));
    expect(await said(registry, id)).toEqual(["one"]);
  });

  it("a rewind between their reading and their writing is known again", async () => {
    const store = await open();
    const id = await threeMessages(store);
    const { registry: other } = registryOf({ store });
    let rewinds = 0;
    const racing = bent(store, {
      update: async (of, patch, lease) => {
        if (lease === undefined && (rewinds += 1) === 1) await other.rewind(id, 1);
        return store.update(of, patch, lease);
      },
    });
    const { registry } = registryOf({ store: racing });
    const after = await registry.update(id, () => stale);
    expect(after.settings).toMatchObject(known);
    expect((await mustGet(store, id)).settings).toMatchObject(known);
    expect(await said(other, id)).toEqual(["one"]);
  });

  it("so is one whose record was written over before its entry was there", async () => {
    const store = await open();
    const id = await threeMessages(store);
    const racing = bent(store, {
      seal: async (of, range, entries, lease) => {
        if (entries.some(({ kind }) => kind === "rewind")) await store.update(of, stale);
        return store.seal(of, range, entries, lease);
      },
    });
    const { registry } = registryOf({ store: racing });
    expect((await registry.rewind(id, 1)).settings).toMatchObject(known);
    expect((await mustGet(store, id)).settings).toMatchObject(known);
    expect(await said(registry, id)).toEqual(["one"]);
  });

  it("and one whose writer was killed then, when the session is taken next", async () => {
    const store = await open();
    const id = await threeMessages(store);
    const dying = bent(store, {
      seal: async (of, range, entries, lease) => {
        if (!entries.some(({ kind }) => kind === "rewind")) return store.seal(of, range, entries, lease);
        await store.update(of, stale);
        await store.seal(of, range, entries, lease);
        throw new Error("killed");
      },
      release: () => Promise.resolve(),
    });
    const { registry: killed } = registryOf({ store: dying, leaseTtlMs: 50 });
    await expect(killed.rewind(id, 1)).rejects.toThrow("killed");
    const { registry } = registryOf({ store });
    const opened = await vi.waitFor(() => registry.open(id), { timeout: 10_000 });
    expect(opened.record.settings).toMatchObject(known);
    expect((await mustGet(store, id)).settings).toMatchObject(known);
    await opened.journal.release();
    expect(await said(registry, id)).toEqual(["one"]);
  });
});
