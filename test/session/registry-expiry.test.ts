/** The features of seeds.md A, B and C, by their ids: expiry and the sweeper. */
import { describe, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import type { Logger } from "../../src/base/log.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { hourMs, registryOf } from "./registry-rig.ts";

describe("expiry [REQ A4, C3]", () => {
  it("deletes what nobody has touched for so long, and says how many", async () => {
    const { registry, store, pass } = registryOf();
    const [old, touched, held] = await Promise.all([1, 2, 3].map(() => registry.create({ cwd: "/" })));
    if (old === undefined || touched === undefined || held === undefined) throw new Error("not created");
    pass(hourMs);
    const ofNow = new SessionRegistry({ store, now: () => Date.UTC(2030, 0, 1) + hourMs });
    await registry.touch(touched.id);
    const request = { holder: thisHolder(), ttlMs: 1e12, mayTake: () => false };
    await store.acquire(held.id, request);
    expect(await registry.expire({ idleForMs: 1 })).toBe(0);
    expect(await ofNow.expire({ idleForMs: hourMs })).toBe(0);
    expect(await ofNow.expire({ idleForMs: hourMs - 1 })).toBe(1);
    expect((await registry.list()).items.map(({ id }) => id).toSorted()).toEqual(
      [touched.id, held.id].toSorted(),
    );
  });

  it("spares what came into use again while others were being deleted", async () => {
    const { store, pass, registry } = registryOf({ trashMs: 0 });
    const sessions = await Promise.all([1, 2].map(() => registry.create({ cwd: "/" })));
    pass(hourMs);
    const remove = store.delete.bind(store);
    store.delete = async (id: SessionId) => {
      for (const each of sessions) if (each.id !== id) await registry.touch(each.id);
      return remove(id);
    };
    const other = new SessionRegistry({ store, now: () => Date.UTC(2030, 0, 1) + hourMs, trashMs: 0 });
    expect(await other.expire({ idleForMs: 1 })).toBe(1);
    expect(await other.count()).toBe(1);
  });
});

describe("the sweeper [REQ A5, B4]", () => {
  it("lets go of sessions that are idle, and deletes nothing unless there is a retention", async () => {
    const { registry, pass } = registryOf({ idleTimeoutMs: hourMs });
    const [a, b] = [await registry.create({ cwd: "/" }), await registry.create({ cwd: "/" })];
    const idle: string[] = [];
    registry.on("idle", ({ id }) => void idle.push(id));
    pass(hourMs);
    await registry.touch(b.id);
    await registry.sweep();
    expect(idle).toEqual([]);
    pass(1);
    await registry.sweep();
    expect([idle, registry.live.size, await registry.count()]).toEqual([[a.id], 1, 2]);
    pass(1000 * hourMs);
    await registry.sweep();
    expect([idle, registry.live.size, await registry.count()]).toEqual([[a.id, b.id], 0, 2]);
  });

  it("deletes what is beyond the retention, and logs how many", async () => {
    const lines: unknown[] = [];
    const log: Logger = {
      ...{ error: () => undefined, warn: () => undefined, debug: () => undefined, close: () => undefined },
      writes: () => true,
      info: (fields) => lines.push(fields),
    };
    const { registry, pass } = registryOf({ idleTimeoutMs: 1, retentionMs: hourMs, log });
    await registry.create({ cwd: "/" });
    await registry.sweep();
    pass(hourMs + 1);
    const expired: string[] = [];
    registry.on("expire", ({ id }) => void expired.push(id));
    await registry.sweep();
    await registry.delivered();
    expect([expired.length, await registry.count(), lines]).toEqual([1, 0, [{ idle: 1, expired: 1 }]]);
  });

  it("keeps a session live that a hook found busy", async () => {
    const { registry, pass } = registryOf({ idleTimeoutMs: 1 });
    const { id } = await registry.create({ cwd: "/" });
    const end = registry.on("idle", (event) => registry.live.touch(event.id));
    pass(2);
    await registry.sweep();
    expect(registry.live.has(id)).toBe(true);
    end();
    pass(2);
    await registry.sweep();
    expect(registry.live.has(id)).toBe(false);
  });

  it("goes on with the others when one session cannot be let go, and tries that one again", async () => {
    const { registry, pass } = registryOf({ idleTimeoutMs: 1, retentionMs: 10 });
    const [a, b] = [await registry.create({ cwd: "/" }), await registry.create({ cwd: "/" })];
    let failures = 1;
    registry.on("idle", ({ id }) => {
      if (id === a.id && failures-- > 0) throw new Error("not now");
    });
    pass(2);
    await registry.sweep();
    expect([registry.live.has(a.id), registry.live.has(b.id)]).toEqual([true, false]);
    await registry.sweep();
    expect(registry.live.size).toBe(0);
  });

  it("runs by itself at the interval that is given, and not after the registry was closed", async () => {
    const { registry, pass } = registryOf({ sweepIntervalMs: 1, idleTimeoutMs: 0 });
    await registry.create({ cwd: "/" });
    pass(1);
    const swept = new Promise((resolve) => registry.on("idle", resolve));
    registry.startSweeper();
    registry.startSweeper();
    const alive = setInterval(() => undefined, 1000);
    await swept;
    clearInterval(alive);
    await registry.close();
    await registry.create({ cwd: "/" });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(registry.live.size).toBe(1);
  });

  it("does not fail for a store that does", async () => {
    const errors: string[] = [];
    const log: Logger = {
      ...{ info: () => undefined, warn: () => undefined, debug: () => undefined, close: () => undefined },
      writes: () => true,
      error: (_fields, message) => errors.push(message),
    };
    const { registry, store } = registryOf({ retentionMs: 1, log });
    await store.close();
    await registry.sweep();
    expect(errors).toEqual(["sweeping sessions failed"]);
  });
});
