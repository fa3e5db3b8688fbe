import { describe, expect, it } from "vitest";
import { newSessionId, type SessionId } from "../../../src/base/ids.ts";
import type { Lease, NewEntry, Store } from "../../../src/store/contract.ts";
import { thisHolder } from "../../../src/session/holder.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Access } from "../../../src/store/guarded/access.ts";
import { guardedStore } from "../../../src/store/guarded/store.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { aSession } from "../../conformance/samples.ts";
import { onStores } from "../../session/every-store.ts";

const entry: NewEntry = {
  kind: "message",
  atMs: 1,
  data: `{"role":"user","content":[{"type":"text","text":"x"}]}`,
};
const request = { holder: thisHolder(), ttlMs: 60_000, mayTake: () => true };
const holding = (store: Store, id: SessionId) => store.acquire(id, request).then(({ lease }) => lease);

function of(store: Store) {
  const as = (access: Access) => {
    const guarded = guardedStore(store, access);
    return { store: guarded, registry: new SessionRegistry({ store: guarded }) };
  };
  return {
    ann: as({ principal: "ann", isAdmin: false }),
    bob: as({ principal: "bob", isAdmin: false }),
    root: as({ principal: "root", isAdmin: true }),
    nobody: as({ isAdmin: false }),
  };
}

/** What is done to one session, each by what a store has for it. */
const changes: Readonly<Record<string, (store: Store, id: SessionId, forged: Lease) => Promise<unknown>>> = {
  update: (store, id) => store.update(id, { title: "x" }),
  "update of metadata": (store, id) => store.update(id, { metadata: { a: 1 } }),
  "update of single metadata": (store, id) => store.update(id, { metadataChanges: { a: 1 } }),
  "update with a lease of somebody else": (store, id, forged) => store.update(id, { title: "x" }, forged),
  acquire: (store, id) => store.acquire(id, request),
  append: (store, id, forged) => store.append(id, 1, [entry], forged),
  seal: (store, id, forged) => store.seal(id, { from: 2, head: 1 }, [entry], forged),
  rewrite: (store, id, forged) => store.rewrite(id, 1, [entry], forged),
  compress: (store, id, forged) => store.compress(id, forged),
  fork: (store, id) => store.create(aSession({ lineage: { parentId: id, atSeq: 1 } })),
};

onStores({ long: ["file", "layered"] }, (open) => {
  it("is to a stranger as if it were not there, in every operation", async () => {
    const store = await open();
    const { ann, bob, nobody } = of(store);
    const facts = { title: "t", cwd: "/a", agentSessionIds: ["agent-1"], metadata: { k: 1 } };
    const { id } = await ann.store.create(aSession(facts));
    const lease = await holding(ann.store, id);
    await ann.store.seal(id, { from: 1, head: 0 }, [entry], lease);
    for (const stranger of [bob, nobody]) {
      expect(await stranger.store.get(id)).toBeUndefined();
      expect(await stranger.store.delete(id)).toBe(false);
      await expect(stranger.store.read(id)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: "SESSION_NOT_FOUND",
      });
      for (const [name, change] of Object.entries(changes))
        await expect(change(stranger.store, id, lease), name).rejects.toMatchObject({
          code: "SESSION_NOT_FOUND",
        });
      await expect(stranger.store.renew(lease)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      await stranger.store.release(lease);
      const filters = [{}, { cwd: "/a" }, { agentSessionId: "agent-1" }, { metadata: { k: 1 } }];
      for (const filter of [...filters, { idStartsWith: id.slice(0, 12) }, { idEndsWith: id.slice(-6) }]) {
        expect(await stranger.store.list(filter)).toEqual({ items: [] });
        expect(await stranger.store.count(filter)).toBe(0);
      }
      expect(await stranger.store.list({ metadata: { "acp-sidecar.owner": "ann" } })).toEqual({ items: [] });
      expect(await stranger.store.count({ metadata: { "acp-sidecar.owned": true } })).toBe(0);
      expect(await stranger.store.stats()).toMatchObject({ sessions: 0, entries: 0 });
      expect(await stranger.registry.find("agent-1")).toBeUndefined();
      expect(await stranger.registry.clear()).toBe(0);
    }
    // All of that has changed nothing.
    await ann.store.append(id, 1, [entry], lease);
    expect(await ann.store.get(id)).toMatchObject({ ...facts, metadata: { k: 1 }, headSeq: 2 });
  });

  it("may be read by whom it is shared with, and nothing else until it is shared for that", async () => {
    const { ann, bob } = of(await open());
    const { id } = await ann.registry.create({ cwd: "/a", metadata: { k: 1 } });
    await ann.registry.addMessage(id, { role: "user", content: "hello" });
    await ann.registry.sharing.share(id, { with: "bob" });
    const seen = await bob.store.get(id);
    expect(seen).toMatchObject({ metadata: { k: 1 }, headSeq: 1 });
    expect((await bob.store.list()).items).toEqual([seen]);
    expect(await bob.store.count()).toBe(1);
    const said: string[] = [];
    for await (const { content } of bob.registry.messages(id)) said.push(JSON.stringify(content));
    expect(said.join()).toContain("hello");
    const lease = await holding(ann.store, id);
    for (const [name, change] of Object.entries(changes))
      await expect(change(bob.store, id, lease), name).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(bob.store.delete(id)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(bob.store.renew(lease)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await ann.store.release(lease);
    for (const act of [
      () => bob.registry.rename(id, "x"),
      () => bob.registry.archive(id),
      () => bob.registry.remove(id),
      () => bob.registry.compact(id),
      () => bob.registry.rewind(id, 1),
      () => bob.registry.fork(id),
      () => bob.registry.addMessage(id, { role: "user", content: "x" }),
      () => bob.registry.move(id, "/b"),
      () => bob.registry.sharing.share(id, { with: "eve" }),
      () => bob.registry.sharing.unshare(id, "bob"),
      () => bob.registry.sharing.shares(id),
      () => bob.registry.sharing.own(id),
      () => bob.registry.sharing.endHolding(id, { force: true }),
      () => bob.registry.sharing.require(id, "export"),
    ])
      await expect(act()).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(await bob.registry.expire({ idleForMs: -10 })).toBe(0);
    expect(await bob.registry.clear()).toBe(0);
  });

  it("keeps its owner and shares whatever its metadata are set to, and nobody sees or forges these", async () => {
    const store = await open();
    const { ann, bob, nobody } = of(store);
    const { id } = await ann.registry.create({ cwd: "/a", metadata: { k: 1, "acp-sidecar.owner": "bob" } });
    expect((await ann.registry.get(id)).metadata).toEqual({ k: 1 });
    await ann.registry.sharing.share(id, { with: "bob", permissions: ["read", "prompt"] });
    const stale = (await bob.registry.get(id)).metadata;
    await ann.registry.sharing.share(id, { with: "eve" });
    const forged = {
      "acp-sidecar.owner": "bob",
      "acp-sidecar.share mallory": "{}",
      "acp-sidecar.owned": false,
    };
    await bob.store.update(id, { metadata: { ...stale, j: 2, ...forged } });
    await bob.store.update(id, {
      metadataChanges: { "acp-sidecar.owner": null, "acp-sidecar.with bob": null },
    });
    expect((await ann.registry.get(id)).metadata).toEqual({ k: 1, j: 2 });
    expect(await ann.registry.sharing.ownerOf(id)).toBe("ann");
    expect((await ann.registry.sharing.shares(id)).map((each) => each.with)).toEqual(["bob", "eve"]);
    await ann.registry.archive(id);
    await ann.registry.unarchive(id);
    await ann.registry.remove(id);
    expect(await bob.store.get(id)).toBeUndefined();
    expect(await bob.registry.trash.restore(id)).toBeUndefined();
    await ann.registry.trash.restore(id);
    expect((await bob.registry.get(id)).metadata).toEqual({ k: 1, j: 2 });
    const made = await nobody.store.create(aSession({ metadata: forged }));
    expect((await store.get(made.id))?.metadata).toEqual({});
  });

  it("ends a share at its time, and when it is taken back, for whoever writes by it, too", async () => {
    const { ann, bob } = of(await open());
    const { id } = await ann.registry.create({ cwd: "/a" });
    const { sharing } = ann.registry;
    await expect(sharing.share(id, { with: "bob", untilMs: Date.now() - 1 })).rejects.toThrow("not over");
    await sharing.share(id, { with: "bob", untilMs: Date.now() + 1500 });
    expect(await bob.store.count()).toBe(1);
    await expect.poll(() => bob.store.get(id), { timeout: 10_000 }).toBeUndefined();
    expect([await bob.store.count(), (await bob.store.list()).items]).toEqual([0, []]);
    expect(await sharing.shares(id)).toEqual([]);
    await sharing.share(id, { with: "bob", permissions: ["prompt"] });
    const lease = await holding(bob.store, id);
    await bob.store.append(id, 0, [entry], lease);
    expect(await sharing.unshare(id, "bob")).toBe(true);
    expect(await sharing.unshare(id, "bob")).toBe(false);
    await expect(bob.store.renew(lease)).rejects.toMatchObject({ code: "LEASE_LOST" });
    await expect(bob.store.append(id, 1, [entry], lease)).rejects.toMatchObject({
      code: "SESSION_NOT_FOUND",
    });
    expect((await ann.store.get(id))?.lease).toBeUndefined();
  });

  it("is everybody's where it was made without an identity, until somebody makes it theirs", async () => {
    const store = await open();
    const { ann, bob, nobody } = of(store);
    const before = await store.create(aSession({ title: "before" }));
    const { id } = await nobody.registry.create({ cwd: "/a" });
    for (const each of [ann, bob, nobody]) {
      await each.registry.rename(id, "x");
      expect((await each.store.list()).items.map((record) => record.id).sort()).toEqual(
        [before.id, id].sort(),
      );
    }
    await expect(nobody.registry.sharing.share(id, { with: "bob" })).rejects.toThrow("is nobody's");
    await expect(nobody.registry.sharing.own(id)).rejects.toThrow("--identity");
    await ann.registry.sharing.own(id);
    expect(await bob.store.get(id)).toBeUndefined();
    expect(await nobody.store.get(id)).toBeUndefined();
    expect(await nobody.store.count()).toBe(1);
    await expect(bob.registry.sharing.own(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  it("is reached by admins, whosever it is", async () => {
    const { ann, root } = of(await open());
    const { id } = await ann.registry.create({ cwd: "/a" });
    await root.registry.rename(id, "by root");
    await root.registry.sharing.share(id, { with: "bob" });
    expect(await root.store.count()).toBe(1);
    expect(await ann.registry.sharing.ownerOf(id)).toBe("ann");
    await root.registry.end(id);
    expect(await ann.store.count()).toBe(0);
  });

  it("pages through one's own, what is shared and what is nobody's, each once, in order", async () => {
    const store = await open();
    const { ann, bob, nobody } = of(store);
    const makers = [ann, bob, nobody];
    const expected: SessionId[] = [];
    for (let at = 0; at < 30; at += 1) {
      const maker = makers[at % 3] ?? ann;
      const { id } = await maker.store.create(
        aSession({ updatedAtMs: 1000 + Math.floor(at / 4), cwd: `/${at % 2}` }),
      );
      const isShared = at % 6 === 0;
      if (isShared) await ann.registry.sharing.share(id, { with: "bob" });
      if (maker !== ann || isShared) expected.push(id);
    }
    const found: SessionId[] = [];
    let cursor: string | undefined;
    do {
      const page = await bob.store.list({ limit: 4, ...(cursor !== undefined && { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(4);
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(new Set(found)).toEqual(new Set(expected));
    expect(found.length).toBe(expected.length);
    const whole = (await store.list({ limit: 100 })).items
      .map(({ id }) => id)
      .filter((id) => expected.includes(id));
    expect(found).toEqual(whole);
    expect(await bob.store.count()).toBe(expected.length);
    expect(await bob.store.count({ cwd: "/0" })).toBe((await bob.store.list({ cwd: "/0" })).items.length);
  });

  it("gives originals to whoever may change the session that they are of, and tombstones to all", async () => {
    const { ann, bob } = of(await open());
    const { id } = await ann.registry.create({ cwd: "/a" });
    const long = JSON.stringify({
      update: { sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "t".repeat(5000) } },
    });
    const lease = await holding(ann.store, id);
    const turn = (data: string): NewEntry[] => [
      { kind: "prompt", atMs: 1, data: `{"prompt":[{"type":"text","text":"a"}]}` },
      { kind: "update", atMs: 1, data },
      { kind: "end", atMs: 1, data: `{"stopReason":"end_turn"}` },
    ];
    await ann.store.seal(id, { from: 1, head: 0 }, [...turn(long), ...turn(long)], lease);
    await ann.store.release(lease);
    await ann.registry.sharing.share(id, { with: "bob", permissions: ["prompt", "export"] });
    const effect = await bob.registry.compact(id, { beforeSeq: 4 });
    expect(effect).toBeDefined();
    expect(await ann.registry.originals.of(id)).toHaveLength(1);
    await bob.registry.compaction.undo(id);
    expect(await ann.registry.originals.of(id)).toHaveLength(0);
    await ann.registry.hidden.bury("agent-9", undefined);
    expect(await bob.registry.hidden.isOurs("agent-9", { command: "x" })).toBe(true);
  });

  it("lets no agent bring in what belongs to a stranger", async () => {
    const { ann, bob } = of(await open());
    const agent = { command: "agent" };
    await ann.registry.create({ cwd: "/a", agentSessionIds: ["s1"], agent });
    expect(await bob.registry.hidden.isOurs("s1", agent)).toBe(true);
    expect(await bob.registry.hidden.isStrangers("s1", agent)).toBe(true);
    expect(await bob.registry.hidden.isStrangers("s1", { command: "another" })).toBe(false);
    expect(await ann.registry.hidden.isStrangers("s1", agent)).toBe(false);
  });

  it("tells of what was shared, taken back and refused", async () => {
    const { ann, bob } = of(await open());
    const told: object[] = [];
    for (const { registry } of [ann, bob]) registry.on("access", (news) => void told.push(news));
    const { id } = await ann.registry.create({ cwd: "/a" });
    await ann.registry.sharing.share(id, { with: "bob" });
    await expect(bob.registry.rename(id, "x")).rejects.toMatchObject({
      data: { sessionId: id, needs: "prompt" },
    });
    await ann.registry.sharing.unshare(id, "bob");
    await Promise.all([ann.registry.delivered(), bob.registry.delivered()]);
    expect(told).toMatchObject([
      { what: "shared", id, with: "bob", permissions: ["read"] },
      { what: "refused", id, needs: "prompt" },
      { what: "unshared", id, with: "bob" },
    ]);
  });
});

describe("what it costs", () => {
  it("asks the store for nothing under a lease, and for a page three times, however many others there are", async () => {
    const { openMemoryStore } = await import("../../../src/store/memory/memory.ts");
    const inner = openMemoryStore();
    const calls: string[] = [];
    const counted = wrapStore(inner, {
      get: (id) => (calls.push("get"), inner.get(id)),
      list: (query) => (calls.push("list"), inner.list(query)),
      count: (filter) => (calls.push("count"), inner.count(filter)),
    });
    const ann = guardedStore(counted, { principal: "ann", isAdmin: false });
    const bob = guardedStore(inner, { principal: "bob", isAdmin: false });
    for (let at = 0; at < 3000; at += 1) await bob.create(aSession({ updatedAtMs: 2000 + at }));
    const ids = Array.from({ length: 3 }, () => newSessionId());
    for (const id of ids) await ann.create(aSession({ id, updatedAtMs: 1 }));
    calls.length = 0;
    expect((await ann.list({ limit: 10 })).items.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(calls).toEqual(["list", "list", "list"]);
    const [id = newSessionId()] = ids;
    const lease = await holding(ann, id);
    calls.length = 0;
    await ann.append(id, 0, [entry], lease);
    await ann.seal(id, { from: 2, head: 1 }, [entry], lease);
    await ann.update(id, { settings: {} }, lease);
    await ann.renew(lease);
    await ann.release(lease);
    expect(calls).toEqual([]);
    await bob.get(id);
  });
});
