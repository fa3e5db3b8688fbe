import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { decideUnused } from "../../src/session/brief-hold.ts";
import { mayTake, thisHolder } from "../../src/session/holder.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Acquired, Store } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/open.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { aHolder, anEntry, aRequest, aSession, mustGet } from "../conformance/samples.ts";

const directory = mkdtempSync(join(tmpdir(), "acp-sidecar-brief-"));
afterAll(() => rm(directory, { recursive: true }));
let databases = 0;

const media: Readonly<Record<string, () => Promise<Store>>> = {
  memory: () => openStore("memory:"),
  sqlite: () => openStore(`sqlite:${join(directory, `${(databases += 1)}.db`)}`),
};
const self = thisHolder();
/** Of a process of this host that is not there. */
const dead = { ...self, startedAt: "never", agent: { pid: 4711, startedAt: "left over" } };
/** Somebody elsewhere, who takes over what is idle. */
const rival = aRequest({ holder: aHolder("rival"), mayTake: mayTake("idle", aHolder("rival")) });

/** A store that calls `before` with the name of each step of a deletion, before that takes effect. */
function watched(inner: Store, before: (step: string) => Promise<unknown>): Store {
  const step = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    await before(name);
    return act();
  };
  return wrapStore(inner, {
    acquire: (id, request) => step("acquire", () => inner.acquire(id, request)),
    update: (id, patch, lease) => step("update", () => inner.update(id, patch, lease)),
    delete: (id, lease) => step("delete", () => inner.delete(id, lease)),
  });
}

describe.each(Object.entries(media))("a session that is to be deleted, %s", (_name, open) => {
  const taking = { leaseTtlMs: 10_000, mayTake: mayTake("idle", self) };

  it.each(["acquire", "update", "delete"])(
    "is deleted, or another's who takes it before the step %s, never both",
    async (at) => {
      const inner = await open();
      const { id } = await inner.create(aSession());
      let taken: Acquired | undefined;
      const store = watched(inner, async (step) => {
        if (step !== at || taken !== undefined) return;
        taken = await inner.acquire(id, rival).catch(() => undefined);
        if (taken !== undefined)
          await inner.append(id, 0, [anEntry("theirs")], { ...taken.lease, turnRunning: true });
      });
      const ended = await decideUnused(store, id, taking).catch((error: unknown) => error);
      if (taken === undefined) {
        expect(ended).toMatchObject({ id });
        expect(await inner.get(id)).toBeUndefined();
      } else {
        expect(ended).toMatchObject({ code: "SESSION_BUSY", data: { turnRunning: true } });
        expect(await inner.append(id, 1, [anEntry("more")], taken.lease)).toBe(2);
      }
      await store.close();
    },
  );

  it.each([
    ["takes over what is in a turn", 10_000, mayTake("takeover", aHolder("rival"))],
    ["finds that our hold has run out", 0, () => false],
  ])("stays with somebody who %s between the look and the deletion", async (_who, leaseTtlMs, may) => {
    const inner = await open();
    const { id } = await inner.create(aSession());
    let taken: Acquired | undefined;
    const store = watched(inner, async (step) => {
      if (step !== "delete" || taken !== undefined) return;
      taken = await inner.acquire(id, { ...rival, mayTake: may });
      await inner.append(id, 0, [anEntry("theirs")], { ...taken.lease, turnRunning: true });
    });
    const ended = await decideUnused(store, id, { ...taking, leaseTtlMs }).catch((error: unknown) => error);
    expect(ended).toMatchObject({ code: "SESSION_BUSY", data: { turnRunning: true } });
    expect((await mustGet(store, id)).headSeq).toBe(1);
    await store.close();
  });

  it("stays as it was found when a look at it says so, what a dead holder left included", async () => {
    const store = await open();
    const [free, left] = [await store.create(aSession()), await store.create(aSession())];
    const { lease } = await store.acquire(left.id, { holder: dead, ttlMs: 60_000, mayTake: () => false });
    await store.renew({ ...lease, turnRunning: true });
    for (const { id } of [free, left]) {
      expect(await decideUnused(store, id, { ...taking, isToGo: () => false })).toBeUndefined();
    }
    expect((await mustGet(store, free.id)).lease).toBeUndefined();
    const { previous } = await store.acquire(left.id, { ...rival, mayTake: () => false });
    expect(previous).toMatchObject({ holder: dead, turnRunning: true });
    await store.close();
  });

  it("is not deleted twice, and one that is not there is none", async () => {
    const store = await open();
    const { id } = await store.create(aSession());
    const both = [decideUnused(store, id, taking), decideUnused(store, id, taking)];
    const ended = await Promise.allSettled(both);
    const deleted = ended.filter((each) => each.status === "fulfilled" && each.value);
    expect([deleted.length, await store.get(id)]).toEqual([1, undefined]);
    expect(await decideUnused(store, id, taking)).toBeUndefined();
    await store.close();
  });

  it("is given back when the deletion fails", async () => {
    const inner = await open();
    const { id } = await inner.create(aSession());
    const store = wrapStore(inner, { delete: () => Promise.reject(new Error("no disk")) });
    await expect(decideUnused(store, id, taking)).rejects.toThrow("no disk");
    expect((await mustGet(store, id)).lease).toBeUndefined();
    await store.close();
  });
});

describe.each(Object.entries(media))(
  "old sessions that come into use while they expire, %s",
  (_name, open) => {
    const old = { createdAtMs: 1, updatedAtMs: 1 };

    it("are kept, whoever is quicker", async () => {
      const store = await open();
      const ids: SessionId[] = [];
      for (let n = 0; n < 30; n += 1) ids.push((await store.create(aSession(old))).id);
      const registry = new SessionRegistry({ store });
      let expired = -1;
      const expiry = registry.expire({ idleForMs: 1000 }).then((count) => (expired = count));
      const taken: SessionId[] = [];
      for (const id of ids.toReversed()) {
        const holder = aHolder(id);
        await registry.open(id, { holder, mayTake: mayTake("idle", holder) }).then(
          async ({ journal }) => {
            taken.push(id);
            await journal.append([anEntry("in use")]);
          },
          () => undefined,
        );
      }
      await expiry;
      expect(expired + taken.length).toBe(ids.length);
      for (const id of taken) expect((await mustGet(store, id)).headSeq).toBe(1);
      await store.close();
    });

    it("are kept when they have become live here meanwhile, or been touched", async () => {
      const inner = await open();
      const [live, touched] = [await inner.create(aSession(old)), await inner.create(aSession(old))];
      const store = watched(inner, async (step) => {
        if (step !== "update") return;
        if (!registry.live.has(live.id)) registry.live.add(live.id);
        await inner.update(touched.id, { updatedAtMs: Date.now() });
      });
      const registry = new SessionRegistry({ store });
      expect(await registry.expire({ idleForMs: 1000 })).toBe(0);
      expect(await store.count()).toBe(2);
      await store.close();
    });

    it("are deleted when whoever holds them is dead", async () => {
      const store = await open();
      const { id } = await store.create(aSession(old));
      await store.acquire(id, { holder: dead, ttlMs: 60_000, mayTake: () => false });
      expect(await new SessionRegistry({ store }).expire({ idleForMs: 1000 })).toBe(1);
      await store.close();
    });
  },
);
