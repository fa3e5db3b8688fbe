/** What only Redis has: a list of sessions beside them that may have to be mended, sets to find them by, and retention. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Redis } from "ioredis";
import type { SessionId } from "../../../src/base/ids.ts";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import type { Store } from "../../../src/store/contract.ts";
import {
  aJournal,
  aSession,
  entriesOf,
  leaseOf,
  listAll,
  noon,
  someEntries,
} from "../../conformance/samples.ts";
import { redisSandbox } from "./sandbox.ts";
import { describeServer } from "../servers.ts";

describeServer("TEST_REDIS_URL", 6379, (url) => {
  const sandbox = redisSandbox(url);
  const client = new Redis(url);
  const stores: Store[] = [];

  const opened = async (storeUrl: string): Promise<Store> => {
    const store = await openRedisStore({ url: storeUrl });
    stores.push(store);
    return store;
  };
  const key = (rest: string) => `${sandbox.prefix}${rest}`;
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await sandbox.empty();
  });
  afterAll(async () => {
    client.disconnect();
    await sandbox.close();
  });

  it("names a session whose record is damaged beside the others, which it costs nothing, and deletes it", async () => {
    const store = await opened(sandbox.url);
    const sound = await store.create(aSession({ cwd: "/a", updatedAtMs: noon }));
    const bad = await store.create(aSession({ cwd: "/a", updatedAtMs: noon + 1 }));
    await store.create(aSession({ cwd: "/b", updatedAtMs: noon - 1 }));
    await client.hset(key(`{${bad.id}}:record`), "facts", '{"cwd');
    const unreadable = [{ id: bad.id, updatedAtMs: noon + 1, code: "STORE_CORRUPT" }];
    const asked = [{ limit: 2 }, { cwd: "/a" }, { withoutMetadata: { hidden: true } }, { idEndsWith: "" }];
    for (const query of asked) {
      const page = await store.list(query);
      expect(page.unreadable).toEqual(unreadable);
      expect(page.items[0]).toEqual(sound);
    }
    expect((await store.list({ idStartsWith: sound.id })).unreadable).toBeUndefined();
    expect(await listAll(store)).toHaveLength(2);
    await expect(store.get(bad.id)).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      data: { sessionId: bad.id },
    });
    expect((await store.stats()).sessions).toBe(3);
    expect(await store.delete(bad.id)).toBe(true);
    expect(await store.list()).toMatchObject({ items: [sound, {}] });
    expect(await store.get(bad.id)).toBeUndefined();
  });

  it("counts entries and bytes, and of many sessions estimates them by some", async () => {
    const store = await openRedisStore({ url: sandbox.url, statsSessions: 4 });
    stores.push(store);
    for (let i = 0; i < 4; i += 1) await aJournal(store, 3);
    const exact = await store.stats();
    expect(exact).toEqual({ sessions: 4, entries: 12, bytes: expect.any(Number) as number });
    for (let i = 0; i < 4; i += 1) await aJournal(store, 3);
    const estimated = await store.stats();
    expect(estimated).toMatchObject({ sessions: 8, entries: 24, details: { estimatedFromSessions: 4 } });
    expect(estimated.bytes / exact.bytes).toBeCloseTo(2, 1);
  });

  describe("the list of sessions in Redis", () => {
    it("ends creations and deletions that were abandoned half-way", async () => {
      const store = await opened(sandbox.url);
      const made = await store.create(aSession());
      const gone = await store.create(aSession());
      const journal = (id: string) => client.hget(key(`{${id}}:record`), "journal");
      const intent = async (id: string) => JSON.stringify({ id, journal: await journal(id), chain: [] });
      // As if the maker of the first had died before it was listed, and the deleter of the second after its record.
      await client.zadd(key("{list}:intents"), 1, await intent(made.id), 2, await intent(gone.id));
      await client.zrem(key("{list}:activity"), made.id);
      await client.del(key(`{${gone.id}}:record`));
      expect((await store.list()).items.map(({ id }) => id)).toEqual([made.id]);
      expect(await store.count()).toBe(1);
      expect(await client.exists(key("{list}:intents"))).toBe(0);
    });

    it("lets go of what a fork inherits when its maker died before it was made", async () => {
      const store = await opened(sandbox.url);
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(2), lease);
      await store.seal(id, { from: 3, head: 2 }, [], lease);
      const journal = await client.hget(key(`{${id}}:record`), "journal");
      const chain = [{ id, journal, base: 0, through: 2 }];
      const intent = JSON.stringify({ id: aSession().id, journal: "never-made", chain });
      await client.zadd(key("{list}:intents"), 1, intent);
      await client.hset(key(`{${id}}:forks`), "never-made", 2);
      await store.delete(id);
      expect(await client.exists(key(`{${id}}:kept:${journal}`))).toBe(1);
      await store.list();
      expect(await client.keys(key("*"))).toEqual([key("{list}:schema")]);
    });

    it("puts a session back in its place when the list was behind the record, or ahead of it", async () => {
      const store = await opened(sandbox.url);
      const ids: string[] = [];
      for (let i = 0; i < 4; i += 1) ids.push((await store.create(aSession({ updatedAtMs: noon + i }))).id);
      const [first, , third] = ids as [string, string, string];
      await client.zadd(key("{list}:activity"), noon - 5, third, noon + 50, first);
      expect((await listAll(store, { limit: 1 })).map(({ id }) => id).sort()).toEqual([...ids].sort());
      const again = (await listAll(store, { limit: 1 })).map(({ id }) => id);
      expect(again).toEqual([...ids].reverse());
    });

    it("goes on where it was when the last session of a page moves, or goes, or another comes before it", async () => {
      const store = await opened(sandbox.url);
      const ids: SessionId[] = [];
      for (let i = 0; i < 8; i += 1) ids.push((await store.create(aSession({ updatedAtMs: noon + i }))).id);
      const [first, second, third, , , , , last] = ids as [SessionId, ...SessionId[]];
      const page = async (cursor?: string) =>
        store.list({ limit: 2, ...(cursor !== undefined && { cursor }) });
      const one = await page();
      await store.create(aSession({ updatedAtMs: noon + 100 }));
      await store.update(last ?? first, { updatedAtMs: noon + 101 });
      const two = await page(one.nextCursor);
      await store.update(ids[4] ?? first, { updatedAtMs: noon + 102 });
      const three = await page(two.nextCursor);
      await store.delete(third ?? first);
      const four = await page(three.nextCursor);
      const pages = [one, two, three, four].map(({ items }) => items.map(({ id }) => id));
      expect(pages).toEqual([
        [ids[7], ids[6]],
        [ids[5], ids[4]],
        [ids[3], third],
        [second, first],
      ]);
      expect(four.nextCursor).toBeUndefined();
    });

    it("lists and finds for a user who may read our keys only, to whom the server joins nothing", async () => {
      const user = sandbox.prefix.replace(/[^a-z0-9]/g, "");
      await client.acl("SETUSER", user, "on", ">secret", `~${sandbox.prefix}*`, "+@all");
      try {
        const store = await opened(
          Object.assign(new URL(sandbox.url), { username: user, password: "secret" }).href,
        );
        const ids: SessionId[] = [];
        for (let i = 0; i < 5; i += 1) {
          ids.unshift(
            (await store.create(aSession({ metadata: { half: i % 2 }, updatedAtMs: noon + i }))).id,
          );
        }
        expect((await listAll(store, { limit: 2 })).map(({ id }) => id)).toEqual(ids);
        expect((await store.list({ metadata: { half: 1 } })).items.map(({ id }) => id)).toEqual([
          ids[1],
          ids[3],
        ]);
        expect(await store.stats()).toMatchObject({ sessions: 5, entries: 0 });
      } finally {
        await client.acl("DELUSER", user);
      }
    });
  });

  describe("finding sessions by value in Redis", () => {
    it("finds few among many without going through all of them, and what was changed meanwhile", async () => {
      const store = await opened(sandbox.url);
      const other = await opened(sandbox.url);
      const ids: SessionId[] = [];
      for (let i = 0; i < 60; i += 1) {
        const facts = { agentSessionIds: [`agent ${i}`], metadata: { user: i % 30 }, updatedAtMs: noon + i };
        ids.push((await store.create(aSession(facts))).id);
      }
      expect((await store.list({ agentSessionId: "agent 7" })).items.map(({ id }) => id)).toEqual([ids[7]]);
      const found = await listAll(store, { metadata: { user: 3 }, limit: 1 });
      expect(found.map(({ id }) => id)).toEqual([ids[33], ids[3]]);
      // Two processes change the same value to and fro: the last one's record decides, and can be found.
      const id = ids[3] as SessionId;
      for (let round = 0; round < 10; round += 1) {
        await Promise.all([
          store.update(id, { metadata: { user: "a" } }),
          other.update(id, { metadata: { user: "b" } }),
        ]);
        const { metadata } = (await store.get(id)) ?? {};
        expect(await store.count({ metadata: metadata ?? {} })).toBe(1);
        const loser = metadata?.["user"] === "a" ? "b" : "a";
        expect(await store.count({ metadata: { user: loser } })).toBe(0);
      }
    });
  });

  describe("retention in Redis", () => {
    it("lets sessions expire that nobody writes to, with their entries, out of lists and counts", async () => {
      const url = new URL(sandbox.url);
      url.searchParams.set("ttlMs", "200");
      const store = await opened(url.toString());
      const kept = await opened(sandbox.url);
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(2), lease);
      const { id: staying } = await kept.create(aSession());
      expect(await client.pttl(key(`{${id}}:entries`))).toBeGreaterThan(0);
      while ((await store.get(id)) !== undefined) await client.ping();
      expect(await store.count()).toBe(1);
      expect((await store.list()).items.map((item) => item.id)).toEqual([staying]);
      expect(await client.exists(key(`{${id}}:entries`))).toBe(0);
    });

    it("counts no expired session, though many stand behind it that were written to and kept their place", async () => {
      const url = new URL(sandbox.url);
      url.searchParams.set("ttlMs", "60000");
      const store = await opened(url.toString());
      for (let i = 0; i < 250; i += 1) await store.create(aSession({ updatedAtMs: 0 }));
      const { id } = await store.create(aSession({ updatedAtMs: noon }));
      await store.create(aSession({ updatedAtMs: noon + 1 }));
      await client.del(key(`{${id}}:record`));
      expect(await store.count()).toBe(251);
    });

    it("spares a session that a fork inherits from", async () => {
      const url = new URL(sandbox.url);
      url.searchParams.set("ttlMs", "60000");
      const store = await opened(url.toString());
      const { id: parentId } = await store.create(aSession());
      const lease = await leaseOf(store, parentId);
      await store.append(parentId, 0, someEntries(2), lease);
      await store.seal(parentId, { from: 3, head: 2 }, [], lease);
      const fork = await store.create(aSession({ lineage: { parentId, atSeq: 2 } }));
      await store.append(parentId, 2, someEntries(1, 3), lease);
      const ttls = ["record", "entries"].map((rest) => client.pttl(key(`{${parentId}}:${rest}`)));
      expect(await Promise.all(ttls)).toEqual([-1, -1]);
      expect(await entriesOf(store, fork.id)).toHaveLength(2);
    });
  });
});
