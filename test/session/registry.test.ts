/** The features of seeds.md A, B and C, by their ids: records, messages, lists. */
import { describe, expect, it, vi } from "vitest";
import { isSessionId, newSessionId, toSessionId } from "../../src/base/ids.ts";
import { hiddenAs } from "../../src/session/hidden.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { textOf } from "../../src/acp/content.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { openLayers, openStore } from "../../src/store/open.ts";
import { defineStore, wrapStore } from "../../src/store/shell.ts";
import { all, hourMs, notFound, registryOf } from "./registry-rig.ts";

describe("session ids [REQ A1]", () => {
  it("are ULIDs that sort by their making", () => {
    const ids = Array.from({ length: 1000 }, () => newSessionId());
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(1000);
    expect(ids[0]).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  });

  it("are a type of their own that outsiders' words must be checked into", () => {
    const id = newSessionId();
    expect(toSessionId(id)).toBe(id);
    for (const wrong of ["", "x", id.toLowerCase(), `${id}0`, id.replace(/.$/, "U"), "8".repeat(26)]) {
      expect(isSessionId(wrong)).toBe(false);
      expect(() => toSessionId(wrong)).toThrow(notFound);
    }
  });
});

describe("a session [REQ A2, B1]", () => {
  it("is created with what is told and the times, and read back", async () => {
    const { registry, now } = registryOf();
    const client = { info: { name: "editor" }, capabilities: { fs: { readTextFile: true } } };
    const init = { cwd: "/work", title: "T", client, mcpServerNames: ["files"], metadata: { team: "a" } };
    const record = await registry.create(init);
    expect(record).toMatchObject({
      ...init,
      createdAtMs: now(),
      updatedAtMs: now(),
      headSeq: 0,
      sealedSeq: 0,
    });
    expect(await registry.get(record.id)).toEqual(record);
    expect(await registry.exists(record.id)).toBe(true);
    expect(await registry.exists(newSessionId())).toBe(false);
  });

  it("is deleted for good, and told apart from one that never was", async () => {
    const { registry } = registryOf();
    const { id } = await registry.create({ cwd: "/" });
    expect(await registry.delete(id)).toBe(true);
    expect(await registry.delete(id)).toBe(false);
    await expect(registry.get(id)).rejects.toEqual(notFound);
  });

  it("is given back when it is ended [REQ B5]", async () => {
    const { registry } = registryOf();
    const record = await registry.create({ cwd: "/" });
    expect(await registry.end(record.id)).toEqual(record);
    await expect(registry.end(record.id)).rejects.toEqual(notFound);
  });

  it("can be forked, and goes on apart from its parent", async () => {
    const { registry } = registryOf();
    const parent = await registry.create({ cwd: "/", title: "T", metadata: { a: 1 } });
    await registry.addMessage(parent.id, { role: "user", content: "one" });
    await registry.addMessage(parent.id, { role: "user", content: "two" });
    const fork = await registry.fork(parent.id, 1);
    expect(fork).toMatchObject({
      title: "T",
      metadata: { a: 1 },
      lineage: { parentId: parent.id, atSeq: 1 },
    });
    await registry.addMessage(fork.id, { role: "assistant", content: "other" });
    expect((await all(registry.messages(fork.id))).map(textOf)).toEqual(["one", "other"]);
    expect((await all(registry.messages(parent.id))).map(textOf)).toEqual(["one", "two"]);
    expect((await registry.fork(parent.id)).headSeq).toBe(2);
    // Whatever becomes of a session that is still being adopted, its fork is one.
    await registry.update(parent.id, () => ({ metadata: { a: 1, ...hiddenAs("adopting") } }));
    expect((await registry.fork(parent.id)).metadata).toEqual({ a: 1 });
    await expect(registry.fork(parent.id, 3)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    await expect(registry.fork(newSessionId())).rejects.toEqual(notFound);
  });
});

describe("a session is updated", () => {
  it("by a function of what it is, and its access time is kept [REQ A2, B3]", async () => {
    const { registry, now, pass } = registryOf();
    const { id, createdAtMs } = await registry.create({ cwd: "/", metadata: { count: 1 } });
    pass(5000);
    const updated = await registry.update(id, ({ metadata }) => ({
      title: "new",
      metadata: { ...metadata, count: Number(metadata["count"]) + 1 },
    }));
    expect(updated).toMatchObject({ title: "new", metadata: { count: 2 }, updatedAtMs: now(), createdAtMs });
    expect(await registry.update(id, () => ({ title: null }))).not.toHaveProperty("title");
    await expect(registry.update(newSessionId(), () => ({}))).rejects.toEqual(notFound);
  });

  it("in nothing but its time when it is touched [REQ C3]", async () => {
    const { registry, now, pass } = registryOf();
    const record = await registry.create({ cwd: "/" });
    pass(1000);
    expect(await registry.touch(record.id)).toEqual({ ...record, updatedAtMs: now() });
    await expect(registry.touch(newSessionId())).rejects.toEqual(notFound);
  });

  it("not at all when the function fails", async () => {
    const { registry } = registryOf();
    const record = await registry.create({ cwd: "/" });
    const failing = registry.update(record.id, () => {
      throw new Error("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    expect(await registry.get(record.id)).toEqual(record);
    await registry.touch(record.id);
  });
});

describe("messages [REQ A2, A6, B2]", () => {
  it("are added for each role, and read in order with their times", async () => {
    const { registry, now, pass } = registryOf();
    const { id } = await registry.create({ cwd: "/" });
    const startMs = now();
    for (const role of ["system", "user", "assistant"] as const) {
      await registry.addMessage(id, { role, content: `from ${role}` });
      pass(10);
    }
    const found = await all(registry.messages(id));
    expect(found.map(({ role, atMs, seq }) => [role, atMs - startMs, seq])).toEqual([
      ["system", 0, 1],
      ["user", 10, 2],
      ["assistant", 20, 3],
    ]);
    expect(await registry.get(id)).toMatchObject({ headSeq: 3, sealedSeq: 3, updatedAtMs: startMs + 20 });
    expect((await registry.get(id)).lease).toBeUndefined();
  });

  it("are refused for what is too long, no message, or no session [REQ A6, A9]", async () => {
    const { registry } = registryOf({ maxEntryBytes: 100 });
    const { id } = await registry.create({ cwd: "/" });
    const add = (role: string, content: unknown, to = id) =>
      registry.addMessage(to, { role, content } as never);
    await expect(add("user", "x".repeat(100))).rejects.toMatchObject({ code: "ENTRY_LIMIT" });
    // 30 characters, and 120 bytes.
    await expect(add("user", "🚂".repeat(15))).rejects.toThrow(/has 1\d\d bytes, more than 100$/);
    await expect(add("robot", "x")).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    await expect(add("user", 7)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    await expect(add("user", "x", newSessionId())).rejects.toEqual(notFound);
    await expect(all(registry.messages(newSessionId()))).rejects.toEqual(notFound);
    expect(await all(registry.messages(id))).toEqual([]);
  });

  it("hold the session for as long as was configured, should this process die in between", async () => {
    const { registry, store } = registryOf({ leaseTtlMs: 1234 });
    const { id } = await registry.create({ cwd: "/" });
    const acquire = vi.spyOn(store, "acquire");
    await registry.addMessage(id, { role: "user", content: "x" });
    expect(acquire.mock.calls.map(([, { ttlMs }]) => ttlMs)).toEqual([1234]);
  });

  it("wait for no turn: a session with one running, or held here, is busy", async () => {
    const { registry, store } = registryOf();
    const { id } = await registry.create({ cwd: "/" });
    const message = { role: "user", content: "x" } as const;
    const holders = [
      [{ host: "elsewhere", pid: 1, startedAt: "1" }, true],
      [thisHolder(), false],
    ] as const;
    for (const [holder, turnRunning] of holders) {
      const { lease } = await store.acquire(id, { holder, ttlMs: hourMs, mayTake: () => true });
      await store.renew({ ...lease, turnRunning });
      await expect(registry.addMessage(id, message)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    }
  });
});

describe("sessions [REQ A3]", () => {
  it("are listed by pages, counted and weighed", async () => {
    const { registry, pass } = registryOf();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      ids.unshift((await registry.create({ cwd: n % 2 === 0 ? "/even" : "/odd" })).id);
      pass(1);
    }
    const first = await registry.list({ limit: 3 });
    const second = await registry.list({ limit: 3, cursor: first.nextCursor ?? "" });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeUndefined();
    expect([await registry.count(), await registry.count({ cwd: "/odd" })]).toEqual([5, 2]);
    await registry.addMessage((await registry.list()).items[0]?.id ?? newSessionId(), {
      role: "user",
      content: "x",
    });
    expect(await registry.stats()).toMatchObject({ sessions: 5, entries: 1, live: 5 });
    expect((await registry.stats()).bytes).toBeGreaterThan(0);
    expect([await registry.clear({ cwd: "/odd" }), await registry.count()]).toEqual([2, 3]);
    expect([await registry.clear(), await registry.count()]).toEqual([3, 0]);
  });
});

describe("callers without types", () => {
  /** What somebody gives who does not look at them. */
  const no = (value: unknown): never => value as never;

  it("are told what is wrong, and nothing is done", async () => {
    const { registry } = registryOf();
    const { id } = await registry.create({ cwd: "/work" });
    const calls: (() => unknown)[] = [undefined, null, 5, {}].flatMap((each) => [
      () => registry.create(no(each)),
      () => registry.create({ cwd: no(each) }),
      () => registry.get(no(each)),
      () => registry.delete(no(each)),
      () => all(registry.messages(no(each))),
      () => registry.addMessage(id, no(each)),
      () => registry.update(id, no(each)),
      () => registry.expire(no(each)),
      () => new SessionRegistry(no(each)),
      () => registry.on("update", no(each)),
      () => registry.on(no(each ?? "ended"), () => undefined),
      () => new SessionRegistry({ store: no(each) }),
      () => new SessionRegistry({ store: openMemoryStore(), retentionMs: no("30d") }),
      () => new SessionRegistry({ store: openMemoryStore(), durability: no(each ?? "often") }),
      () => openStore(no(each)),
      () => openLayers(no([each, each])),
      () => defineStore(no(each)),
      () => wrapStore(no(each), {}),
      () => wrapStore(openMemoryStore(), no(typeof each === "object" ? null : each)),
      () => textOf(no(each ?? {})),
      () => registry.resolve(no(each)),
      () => registry.find(no(each)),
      () => registry.trash.restore(no(each)),
    ]);
    for (const each of [null, 5, "/work", { cwd: 5 }]) {
      calls.push(
        () => registry.list(no(each)),
        () => registry.count(no(each)),
        () => registry.clear(no(each)),
      );
    }
    for (const call of calls) {
      await expect((async () => call())()).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    }
    expect(await registry.count()).toBe(1);
  });
});

it("is closed at the end of a block", async () => {
  const { registry, store } = registryOf();
  const close = vi.spyOn(registry, "close");
  await registry[Symbol.asyncDispose]();
  expect(close).toHaveBeenCalledOnce();
  await store.close();
});
