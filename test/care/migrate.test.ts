import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import { mayTake, thisHolder } from "../../src/session/holder.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { hashOf, migrateSessions } from "../../src/care/migrate.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import type { Lineage, NewEntry, Store } from "../../src/store/contract.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function stores(): Promise<{ from: Store; to: Store }> {
  const folder = mkdtempSync(join(tmpdir(), "acp-sidecar-migrate-"));
  const from = await openSqliteStore({ path: join(folder, "from.db") });
  const to = openMemoryStore();
  cleanups.push(
    () => rmSync(folder, { recursive: true }),
    () => from.close(),
    () => to.close(),
  );
  return { from, to };
}

function update(n: number): NewEntry {
  return { kind: "update", atMs: 1_000_000 + n, data: `{"update":{"sessionUpdate":"x","n":${n}}}` };
}

async function session(
  store: Store,
  sealed: number,
  unsealed: number,
  lineage?: Lineage,
): Promise<SessionId> {
  const id = newSessionId();
  const facts = { additionalDirectories: [], mcpServerNames: ["m"], agentSessionIds: ["a"], settings: {} };
  const times = { createdAtMs: 1, updatedAtMs: 2 };
  await store.create({
    id,
    cwd: "/tmp",
    title: "T",
    metadata: { k: 1 },
    ...facts,
    ...times,
    ...(lineage && { lineage }),
  });
  const holder = thisHolder();
  const { lease } = await store.acquire(id, { holder, ttlMs: 1000, mayTake: mayTake("error", holder) });
  let head = lineage?.atSeq ?? 0;
  const entries = (count: number) => Array.from({ length: count }, (_, n) => update(head + n));
  head = await store.seal(id, { from: head + 1, head }, entries(sealed), lease);
  await store.append(id, head, entries(unsealed), lease);
  await store.release(lease);
  return id;
}

async function expectSame(from: Store, to: Store, id: SessionId): Promise<void> {
  const [a, b] = await Promise.all([from.get(id), to.get(id)]);
  expect({ ...b, lease: undefined }).toEqual({ ...a, lease: undefined });
  expect(await hashOf(to.read(id))).toBe(await hashOf(from.read(id)));
}

describe("migrating sessions", () => {
  it("copies records, entries, what is sealed, and forks with their lineage", async () => {
    const { from, to } = await stores();
    const parent = await session(from, 700, 3);
    const fork = await session(from, 5, 0, { parentId: parent, atSeq: 600 });
    expect(await migrateSessions(from, to)).toEqual({ copied: 2, skipped: 0, entries: 708 });
    await expectSame(from, to, parent);
    await expectSame(from, to, fork);
    expect(await migrateSessions(from, to)).toEqual({ copied: 0, skipped: 2, entries: 0 });
  });

  it("goes on after an interruption", async () => {
    const { from, to } = await stores();
    const id = await session(from, 1200, 0);
    const failing = failingSeals(to, 2);
    await expect(migrateSessions(from, failing)).rejects.toThrow("pulled the plug");
    const result = await migrateSessions(from, to);
    expect(result).toMatchObject({ copied: 1 });
    expect(result.entries).toBeLessThan(1200);
    await expectSame(from, to, id);
  });

  it("brings an earlier copy up to date, also where its last entries have been folded since", async () => {
    const { from, to } = await stores();
    const id = await session(from, 3, 4);
    await migrateSessions(from, to);
    const holder = thisHolder();
    const { lease } = await from.acquire(id, { holder, ttlMs: 1000, mayTake: mayTake("error", holder) });
    const head = await from.seal(id, { from: 4, head: 7 }, [update(40), update(41)], lease);
    await from.append(id, head, [update(42)], lease);
    await from.update(id, { title: "Renamed" }, lease);
    await from.release(lease);
    expect(await migrateSessions(from, to)).toMatchObject({ copied: 1, entries: 3 });
    await expectSame(from, to, id);
  });

  it("makes a fork whose parent is gone a session of its own", async () => {
    const { from, to } = await stores();
    const parent = await session(from, 4, 0);
    const fork = await session(from, 2, 0, { parentId: parent, atSeq: 3 });
    await from.delete(parent);
    await migrateSessions(from, to);
    expect((await to.get(fork))?.lineage).toBeUndefined();
    expect(await hashOf(to.read(fork))).toBe(await hashOf(from.read(fork)));
  });

  it("brings a copy up to date whose original was compacted meanwhile, and leaves what it has", async () => {
    const { from, to } = await stores();
    const registry = new SessionRegistry({ store: from });
    const { id } = await registry.create({ cwd: "/tmp" });
    const { journal } = await registry.open(id);
    const update = {
      sessionUpdate: "agent_thought_chunk",
      content: { type: "text", text: "why ".repeat(200) },
    };
    const thought: NewEntry = { kind: "update", atMs: 1, data: JSON.stringify({ update }) };
    const prompt: NewEntry = { kind: "prompt", atMs: 1, data: '{"prompt":[]}' };
    await journal.seal([], [prompt, thought, prompt]);
    await journal.release();
    await migrateSessions(from, to);
    await registry.compact(id, { beforeSeq: 3 });
    await registry.addMessage(id, { role: "user", content: "more" });
    expect(await migrateSessions(from, to)).toMatchObject({ copied: 2, entries: 3 });
    const copy = new SessionRegistry({ store: to });
    expect(await copy.compaction.effect(id, { beforeSeq: 3 })).toMatchObject({ entries: 1 });
    await migrateSessions(to, openMemoryStore());
    await copy.delete(id);
    expect(await to.count()).toBe(0);
  });

  it("says so where somebody else copies the same at the same time", async () => {
    const { from, to } = await stores();
    const id = await session(from, 3, 0);
    const late = wrapStore(to, {
      create: async (made) => {
        await to.create(made);
        return to.create(made);
      },
    });
    await expect(migrateSessions(from, late)).rejects.toMatchObject({
      code: "STORE_CONFLICT",
      message: expect.stringContaining("run it again") as string,
    });
    expect(await migrateSessions(from, to)).toMatchObject({ copied: 1 });
    await expectSame(from, to, id);
  });

  it("refuses when the target has other content under the same id", async () => {
    const { from, to } = await stores();
    const id = await session(from, 3, 0);
    const facts = {
      additionalDirectories: [],
      mcpServerNames: [],
      agentSessionIds: [],
      settings: {},
      metadata: {},
    };
    await to.create({ id, cwd: "/tmp", createdAtMs: 1, updatedAtMs: 1, ...facts });
    const holder = thisHolder();
    const { lease } = await to.acquire(id, { holder, ttlMs: 1000, mayTake: mayTake("error", holder) });
    await to.seal(id, { from: 1, head: 0 }, [update(7), update(8), update(9)], lease);
    await to.release(lease);
    await expect(migrateSessions(from, to)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
  });
});

/** The store, but its `nth` seal fails. */
function failingSeals(store: Store, nth: number): Store {
  let seals = 0;
  return new Proxy(store, {
    get:
      (target, key) =>
      (...args: unknown[]) => {
        if (key === "seal" && (seals += 1) === nth) return Promise.reject(new Error("pulled the plug"));
        return (Reflect.get(target, key) as (...args: unknown[]) => unknown).apply(target, args);
      },
  });
}
