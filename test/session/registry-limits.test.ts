/** The features of seeds.md A, B and C, by their ids: limits, errors, snapshots. */
import { describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { anEntry, aSession } from "../conformance/samples.ts";
import { all, registryOf } from "./registry-rig.ts";

describe("limits and errors [REQ A5, A9, C4]", () => {
  it("allow 1000 live sessions unless told, and refuse one more by name", async () => {
    const { registry } = registryOf();
    for (let n = 0; n < 1000; n += 1) await registry.create({ cwd: "/" });
    await expect(registry.create({ cwd: "/" })).rejects.toMatchObject({
      code: "SESSION_LIMIT",
      data: { maxSessions: 1000 },
    });
    const [first] = (await registry.list({ limit: 1 })).items;
    await registry.end(first?.id ?? newSessionId());
    await registry.create({ cwd: "/" });
    expect(await registry.count()).toBe(1000);
  });

  it("tell a duplicate from the unknown, and leave the one that was there alone", async () => {
    const { registry } = registryOf();
    const { id } = await registry.create({ cwd: "/a" });
    await expect(registry.create({ cwd: "/b" }, id)).rejects.toMatchObject({
      code: "SESSION_EXISTS",
      data: { sessionId: id },
    });
    expect([(await registry.get(id)).cwd, registry.live.has(id)]).toEqual(["/a", true]);
  });

  it("count what is open until it is released or lost, and not what an entry is added to", async () => {
    const { registry, store } = registryOf({ maxSessions: 1 });
    const [a, b] = [newSessionId(), newSessionId()];
    for (const id of [a, b]) await store.create(aSession({ id }));
    await registry.addMessage(a, { role: "user", content: "x" });
    const { journal } = await registry.open(a);
    await expect(registry.open(b)).rejects.toMatchObject({ code: "SESSION_LIMIT" });
    expect([registry.live.has(a), registry.live.has(b)]).toEqual([true, false]);
    await journal.release();
    const { journal: lost } = await registry.open(b);
    await store.delete(b);
    await expect(lost.append([anEntry("x")])).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(registry.live.size).toBe(0);
    await expect(registry.open(newSessionId())).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(registry.live.size).toBe(0);
  });

  it("pass on what the store fails with", async () => {
    const { registry, store } = registryOf();
    const { id } = await registry.create({ cwd: "/" });
    await store.close();
    const acts = [
      () => registry.create({ cwd: "/" }),
      () => registry.get(id),
      () => registry.update(id, () => ({})),
      () => registry.addMessage(id, { role: "user", content: "x" }),
      () => all(registry.messages(id)),
      () => registry.end(id),
      () => registry.delete(id),
      () => registry.list(),
      () => registry.count(),
      () => registry.stats(),
      () => registry.expire({ idleForMs: 1 }),
      () => registry.clear(),
      () => registry.fork(id),
    ];
    for (const act of acts) await expect(act()).rejects.toMatchObject({ code: "STORE_CLOSED" });
    expect(registry.live.size).toBe(1);
  });
});

describe("snapshots [REQ A8, C1, C2]", () => {
  it("cannot change the store, whatever is done to them", async () => {
    const { registry } = registryOf();
    const metadata = { a: 1 };
    const record = await registry.create({
      cwd: "/",
      metadata,
      settings: { configOptions: { o: { deep: [1] } } },
    });
    metadata.a = 2;
    const listed = (await registry.list()).items[0];
    for (const snapshot of [record, listed, await registry.get(record.id)]) {
      try {
        (snapshot as { title?: string }).title = "changed";
        (snapshot?.settings.configOptions?.["o"] as { deep: number[] }).deep.push(2);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
      }
    }
    expect(await registry.get(record.id)).toMatchObject({
      metadata: { a: 1 },
      settings: { configOptions: { o: { deep: [1] } } },
    });
    expect(await registry.get(record.id)).not.toHaveProperty("title");
  });
});
