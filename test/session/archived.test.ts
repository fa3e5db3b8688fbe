import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { isArchived } from "../../src/session/archived.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { entriesOf } from "../conformance/samples.ts";
import { onEveryStore } from "./every-store.ts";

const saying = (text: string) => ({ role: "user" as const, content: [{ type: "text" as const, text }] });

async function filled(store: Store, titles: readonly string[]) {
  const registry = new SessionRegistry({ store });
  const made = [];
  for (const title of titles) {
    const { id } = await registry.create({ cwd: "/tmp", title });
    await registry.addMessage(id, saying(`${title} ${"words ".repeat(500)}`));
    made.push(await registry.get(id));
    // Lists go by time.
    await delay(2);
  }
  return { registry, made, ids: made.map(({ id }) => id) };
}

const titlesOf = async (registry: SessionRegistry, query = {}) =>
  (await registry.list(query)).items.map(({ title }) => title);

describe("the archive", () => {
  onEveryStore((open) => {
    it("has what was put there out of lists, counted apart, and whole", async () => {
      const store = await open();
      const { registry, ids, made } = await filled(store, ["a", "b", "c"]);
      const [, b] = ids;
      if (b === undefined) throw new Error("no session");
      const before = await entriesOf(store, b);
      await registry.archive(b);
      await registry.archive(b);
      expect(await titlesOf(registry)).toEqual(["c", "a"]);
      expect(await titlesOf(registry, { archived: "only" })).toEqual(["b"]);
      expect(await titlesOf(registry, { archived: "include", cwd: "/tmp" })).toEqual(["c", "b", "a"]);
      expect(await registry.count()).toBe(2);
      expect(await registry.count({ archived: "only" })).toBe(1);
      expect(await registry.count({ archived: "include", cwd: "/tmp" })).toBe(3);
      expect(await entriesOf(store, b)).toEqual(before);
      const record = await registry.get(b);
      expect([record.updatedAtMs, record.lease]).toEqual([made[1]?.updatedAtMs, undefined]);
      await registry.unarchive(b);
      await registry.unarchive(b);
      expect(await titlesOf(registry)).toEqual(["c", "b", "a"]);
    });

    it("gives a session back that is opened, and no fork of it is in there", async () => {
      const { registry, ids } = await filled(await open(), ["a"]);
      const [a] = ids;
      if (a === undefined) throw new Error("no session");
      await registry.archive(a);
      const fork = await registry.fork(a);
      expect(isArchived(fork)).toBe(false);
      const { journal, record } = await registry.open(a);
      await journal.release();
      expect(isArchived(record)).toBe(false);
      expect(await registry.count()).toBe(2);
    });

    it("keeps its mark through a change of the metadata, the trash and back", async () => {
      const { registry, ids } = await filled(await open(), ["a", "b"]);
      const [a] = ids;
      if (a === undefined) throw new Error("no session");
      await registry.archive(a);
      await registry.update(a, () => ({ metadata: { mine: 1 } }));
      expect((await registry.get(a)).metadata).toMatchObject({ mine: 1 });
      await registry.remove(a);
      expect(await registry.count({ archived: "only" })).toBe(0);
      expect(await registry.count()).toBe(1);
      await registry.trash.restore(a);
      expect(await titlesOf(registry, { archived: "only" })).toEqual(["a"]);
    });

    it("renames what is in there, and leaves it there", async () => {
      const { registry, ids } = await filled(await open(), ["a", "b"]);
      const [a] = ids;
      if (a === undefined) throw new Error("no session");
      await registry.archive(a);
      expect((await registry.rename(a, "  Ä new one ")).title).toBe("Ä new one");
      expect(await titlesOf(registry, { archived: "only" })).toEqual(["Ä new one"]);
      await expect(registry.rename(a, " ")).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    });
  });

  it("fills pages from behind those that are archived, and misses and doubles none", async () => {
    const store = openMemoryStore();
    const titles = Array.from({ length: 40 }, (_, at) => `t${at}`);
    const { registry, ids } = await filled(store, titles);
    for (const [at, id] of ids.entries()) if (at >= 10 && at % 4 !== 0) await registry.archive(id);
    const wanted = titles.filter((_, at) => at < 10 || at % 4 === 0).reverse();
    const found: (string | undefined)[] = [];
    let cursor: string | undefined;
    do {
      const page = await registry.list({ limit: 5, ...(cursor !== undefined && { cursor }) });
      if (page.nextCursor !== undefined) expect(page.items).toHaveLength(5);
      found.push(...page.items.map(({ title }) => title));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(found).toEqual(wanted);
  });

  it("takes nothing out of a turn", async () => {
    const { registry, ids } = await filled(openMemoryStore(), ["a"]);
    const [a] = ids;
    if (a === undefined) throw new Error("no session");
    const { journal } = await registry.open(a);
    journal.setTurnRunning(true);
    await journal.renew({ ...journal.lease.holder, host: "elsewhere" });
    await expect(registry.archive(a)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    await expect(registry.archive("01JGH0000000000000000000A1" as typeof a)).rejects.toMatchObject({
      code: "SESSION_NOT_FOUND",
    });
  });

  it("takes nothing from who has it open here", async () => {
    const { registry, ids } = await filled(openMemoryStore(), ["a"]);
    const [a] = ids;
    if (a === undefined) throw new Error("no session");
    const { journal } = await registry.open(a);
    await expect(registry.archive(a)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    await journal.seal([]);
    await journal.release();
    await registry.archive(a);
  });

  it("lets go of a session that could not be brought back", async () => {
    const memory = openMemoryStore();
    const { registry, ids } = await filled(memory, ["a"]);
    const [a] = ids;
    if (a === undefined) throw new Error("no session");
    await registry.archive(a);
    const update = () => Promise.reject(new SidecarError("STORE_FULL", "full"));
    const full = new SessionRegistry({ store: wrapStore(memory, { update }) });
    await expect(full.open(a)).rejects.toMatchObject({ code: "STORE_FULL" });
    expect((await memory.get(a))?.lease).toBeUndefined();
  });

  it("can be told again what a full disk kept it from", async () => {
    let isFull = true;
    const store = wrapStore(openMemoryStore(), {
      compress: () => {
        if (isFull) throw Object.assign(new Error("ENOSPC"), { code: "STORE_FULL" });
      },
    });
    const { registry, ids } = await filled(store, ["a"]);
    const [a] = ids;
    if (a === undefined) throw new Error("no session");
    await expect(registry.archive(a)).rejects.toMatchObject({ code: "STORE_FULL" });
    expect((await registry.get(a)).lease).toBeUndefined();
    isFull = false;
    expect(isArchived(await registry.archive(a))).toBe(true);
  });
});
