import { describe, expect, it } from "vitest";
import { migrateSessions } from "../../src/care/migrate.ts";
import { verifySessions } from "../../src/care/verify.ts";
import { hiddenAs } from "../../src/session/hidden.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { emptySession } from "../../src/session/registry-options.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { aHolder, mustGet } from "../conformance/samples.ts";
import { onEveryStore } from "./every-store.ts";
import { all, hourMs, notFound, registryOf } from "./registry-rig.ts";

const dayMs = 24 * hourMs;

async function twoSessions(store: Store) {
  const rig = registryOf({ store });
  const { registry, pass } = rig;
  const init = { cwd: "/work", title: "Title", metadata: { team: "blue" }, agentSessionIds: ["agent-1"] };
  const { id } = await registry.create({ ...init, agent: { info: { name: "some" } } });
  await registry.addMessage(id, { role: "user", content: "hello" });
  pass(hourMs);
  const { id: other } = await registry.create({ cwd: "/work" });
  pass(hourMs);
  for (const each of [id, other]) registry.live.remove(each);
  return { ...rig, id, other };
}

onEveryStore((open) => {
  it("holds a session that is not found any more, by whatever way", async () => {
    const { registry, id, other, now } = await twoSessions(await open());
    const before = await registry.get(id);
    expect(await registry.remove(id)).toBe(true);
    expect((await registry.list()).items.map((record) => record.id)).toEqual([other]);
    expect((await registry.list({ metadata: { team: "blue" } })).items).toEqual([]);
    expect([await registry.count(), await registry.count({ cwd: "/work" })]).toEqual([1, 1]);
    expect(await registry.stats()).toMatchObject({ sessions: 1, trashed: 1, entries: 1 });
    expect([await registry.peek(id), await registry.exists(id)]).toEqual([undefined, false]);
    expect([await registry.find(id), await registry.find("agent-1")]).toEqual([undefined, undefined]);
    for (const attempt of [
      () => registry.get(id),
      () => registry.open(id),
      () => registry.touch(id),
      () => registry.fork(id),
      () => registry.addMessage(id, { role: "user", content: "more" }),
      () => registry.resolve(id),
      () => registry.resolve(id.slice(-8)),
    ])
      await expect(attempt()).rejects.toEqual(notFound);
    expect(await registry.remove(id)).toBe(false);
    expect(await registry.expire({ idleForMs: 1 })).toBe(1);
    // An agent that lists its own sessions does not bring it back.
    expect(await registry.hidden.isOurs("agent-1", { info: { name: "some" } })).toBe(true);
    const [newest, oldest] = await registry.trash.list();
    expect([newest?.record.id, oldest?.record.id].toSorted()).toEqual([id, other].toSorted());
    const { lease: _, ...asItWas } = before;
    expect((await registry.trash.list()).find(({ record }) => record.id === id)).toMatchObject({
      record: asItWas,
      trashedAtMs: now(),
    });
  });

  it("gives it back as it was, in its place", async () => {
    const { registry, store, id, other } = await twoSessions(await open());
    const before = await registry.get(id);
    const restored: string[] = [];
    registry.on("restore", ({ record }) => void restored.push(record.id));
    await registry.remove(id);
    expect(await registry.trash.restore(id)).toMatchObject({ id, title: "Title" });
    expect(await registry.get(id)).toEqual(before);
    expect((await registry.list()).items.map((record) => record.id)).toEqual([other, id]);
    expect(await all(registry.messages(id))).toMatchObject([{ content: [{ text: "hello" }] }]);
    await registry.addMessage(id, { role: "user", content: "more" });
    expect([await registry.trash.restore(id), await registry.trash.count()]).toEqual([undefined, 0]);
    expect(await store.count({ metadata: hiddenAs("trashed") })).toBe(0);
    await registry.delivered();
    expect(restored).toEqual([id]);
  });

  it("is emptied of what has been in it for so long, and of nothing else", async () => {
    const { registry, store, id, other, pass } = await twoSessions(await open());
    await registry.remove(id);
    pass(dayMs);
    await registry.remove(other);
    expect((await registry.trash.list()).map(({ record }) => record.id)).toEqual([other, id]);
    expect((await registry.trash.list(1)).map(({ record }) => record.id)).toEqual([other]);
    expect(await registry.trash.empty({ forMs: 2 * dayMs })).toBe(0);
    expect(await registry.trash.empty({ forMs: dayMs })).toBe(1);
    expect([await store.get(id), (await registry.trash.list()).length]).toEqual([undefined, 1]);
    expect(await registry.trash.empty({ forMs: 0 })).toBe(1);
    expect(await store.count()).toBe(0);
  });

  it("finds what a person means in it", async () => {
    const { registry, id, other, pass } = await twoSessions(await open());
    await registry.remove(id);
    for (const address of [id, id.toLowerCase(), id.slice(-8), "last"])
      expect((await registry.trash.resolve(address)).record.id).toBe(id);
    await expect(registry.trash.resolve(other)).rejects.toEqual(notFound);
    await expect(registry.trash.resolve("last~1")).rejects.toThrow(/There is 1 session in the trash/);
    pass(1);
    await registry.remove(other);
    expect((await registry.trash.resolve("last")).record.id).toBe(other);
    expect((await registry.trash.resolve("last~1")).record.id).toBe(id);
  });

  it("keeps what a killed holder left: it is sealed when the session is back and opened", async () => {
    const { registry, store, id } = await twoSessions(await open());
    const dead = { ...thisHolder(), startedAt: "never" };
    const { journal } = await registry.open(id, { holder: dead });
    journal.setTurnRunning(true);
    await journal.append([{ kind: "prompt", atMs: 1, data: '{"prompt":[]}' }]);
    await registry.remove(id);
    await registry.trash.restore(id);
    expect(await mustGet(store, id)).toMatchObject({
      headSeq: 2,
      sealedSeq: 1,
      lease: { turnRunning: true },
    });
    const { previous } = await registry.open(id);
    expect(previous?.holder).toMatchObject({ startedAt: "never" });
    expect((await mustGet(store, id)).sealedSeq).toBe(3);
  });

  it("decides between bringing back and emptying: never both", async () => {
    const { registry, store } = await twoSessions(await open());
    const ids = (await registry.list()).items.map((record) => record.id);
    for (const id of ids) await registry.remove(id);
    const other = new SessionRegistry({ store, now: () => Date.UTC(2031, 0, 1) });
    const [deleted, ...restored] = await Promise.all([
      other.trash.empty({ forMs: 0 }),
      ...ids.map((id) => registry.trash.restore(id).catch(() => undefined)),
    ]);
    const back = restored.filter((record) => record !== undefined);
    const left = await registry.trash.count();
    expect(deleted + back.length + left).toBe(2);
    expect(await registry.count()).toBe(back.length);
  });

  it("goes with a migration, and is verified", async () => {
    const { registry, store, id } = await twoSessions(await open());
    await registry.remove(id);
    const copy = openMemoryStore();
    await migrateSessions(store, copy);
    const there = new SessionRegistry({ store: copy });
    expect((await there.trash.list()).map(({ record }) => record.id)).toEqual([id]);
    expect(await verifySessions(store)).toMatchObject({ sessions: 2, trashed: 1, damages: [] });
  });
});

describe("the trash", () => {
  it("is left out where it is switched off", async () => {
    const { registry, store, pass } = registryOf({ trashMs: 0 });
    const [a, b] = [await registry.create({ cwd: "/" }), await registry.create({ cwd: "/" })];
    await registry.remove(a.id);
    registry.live.remove(b.id);
    pass(hourMs);
    await registry.expire({ idleForMs: 1 });
    expect(await store.count()).toBe(0);
  });

  it("takes what is beyond the retention, and gives it up when its own time is over", async () => {
    const { registry, store, pass } = registryOf({
      idleTimeoutMs: 1,
      retentionMs: dayMs,
      trashMs: 2 * dayMs,
    });
    const { id } = await registry.create({ cwd: "/" });
    registry.live.remove(id);
    pass(dayMs + 1);
    await registry.sweep();
    expect([await registry.count(), await registry.trash.count()]).toEqual([0, 1]);
    pass(2 * dayMs - 1);
    await registry.sweep();
    expect(await registry.trash.count()).toBe(1);
    pass(hourMs);
    await registry.sweep();
    expect(await store.count()).toBe(0);
  });

  it("is looked through in rounds only when something in it may be due, as what was compacted is", async () => {
    const inner = openMemoryStore();
    let looks = 0;
    const store = wrapStore(inner, {
      list: (query) => {
        if (query?.metadata !== undefined) looks += 1;
        return inner.list(query);
      },
    });
    const { registry, pass } = registryOf({ store, trashMs: dayMs });
    await registry.remove((await registry.create({ cwd: "/" })).id);
    for (let rounds = 0; rounds < 12; rounds += 1) {
      await registry.sweep();
      pass(hourMs);
    }
    expect([looks, await registry.trash.count()]).toEqual([2, 1]);
    pass(12 * hourMs);
    await registry.sweep();
    expect([looks, await registry.trash.count()]).toEqual([4, 0]);
  });

  it("gives back what is beyond the retention as in use now, so that it stays", async () => {
    const { registry, pass, now } = registryOf({ retentionMs: dayMs });
    const { id } = await registry.create({ cwd: "/" });
    registry.live.remove(id);
    pass(2 * dayMs);
    await registry.sweep();
    expect(await registry.trash.restore(id)).toMatchObject({ updatedAtMs: now() });
    await registry.sweep();
    expect(await registry.count()).toBe(1);
  });

  it("keeps a session that somebody writes to without holding it while it goes", async () => {
    const inner = openMemoryStore();
    const { id } = await inner.create({
      ...emptySession,
      id: (await registryOf().registry.create({ cwd: "/" })).id,
      createdAtMs: 1,
      updatedAtMs: 1,
      cwd: "/",
    });
    const remover = new SessionRegistry({ store: inner });
    const store = wrapStore(inner, {
      update: async (changed, patch, lease) => {
        await remover.remove(changed);
        return inner.update(changed, patch, lease);
      },
    });
    const registry = new SessionRegistry({ store });
    await expect(registry.update(id, () => ({ title: "late" }))).rejects.toEqual(notFound);
    expect([await registry.count(), await registry.trash.count()]).toEqual([0, 1]);
    expect(await mustGet(inner, id)).toMatchObject({ updatedAtMs: 0 });
    expect(await remover.trash.restore(id)).toMatchObject({ updatedAtMs: 1 });
  });

  it("is not for what never became a session", async () => {
    const { registry, store, pass } = registryOf();
    await registry
      .create({ cwd: "/", metadata: hiddenAs("adopting") })
      .then(({ id }) => registry.live.remove(id));
    pass(hourMs);
    expect([await registry.expire({ idleForMs: 1 }), await store.count()]).toEqual([1, 0]);
  });

  it("takes a session in a turn only by force, and its holder cannot write to it any more", async () => {
    const { registry } = registryOf();
    const { id } = await registry.create({ cwd: "/" });
    const { journal } = await registry.open(id, { holder: aHolder("other") });
    journal.setTurnRunning(true);
    await journal.append([{ kind: "prompt", atMs: 1, data: '{"prompt":[]}' }]);
    await expect(registry.remove(id)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    expect(await registry.remove(id, { force: true })).toBe(true);
    const late = journal.append([{ kind: "prompt", atMs: 1, data: '{"prompt":[]}' }]);
    await expect(late).rejects.toMatchObject({ code: "LEASE_LOST" });
    expect(await registry.trash.restore(id)).toMatchObject({ headSeq: 1 });
  });
});
