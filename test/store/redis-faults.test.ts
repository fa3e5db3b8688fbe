import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Redis } from "ioredis";
import { openRedisStore } from "../../src/store/redis/store.ts";
import type { Store } from "../../src/store/store.ts";
import { aSession, assertJournal, leaseOf, rejectsWith, someEntries } from "../conformance/samples.ts";
import { redisSandbox } from "./redis-sandbox.ts";
import { password, refusalOf } from "./refusals.ts";
import { addressOf, describeServer, throughPort } from "./servers.ts";
import { tcpProxy, type TcpProxy } from "./tcp-proxy.ts";

describe("opening a Redis store", () => {
  it("says what to install when ioredis is missing", async () => {
    const name: string = "no-such-package-as-ioredis";
    const opening = openRedisStore({ url: "redis://localhost", loadDriver: () => import(name) });
    const { code, message } = await refusalOf(opening);
    expect([code, message]).toEqual(["STORE_UNAVAILABLE", expect.stringContaining("npm install ioredis")]);
  });

  it("says that nobody listens, at once", async () => {
    const proxy = await tcpProxy({ host: "127.0.0.1", port: 1 });
    await proxy.close();
    const url = `redis://ada:${password}@127.0.0.1:${proxy.port}/0`;
    const { code, message } = await refusalOf(openRedisStore({ url }));
    expect(code).toBe("STORE_UNAVAILABLE");
    expect(message).toContain(`127.0.0.1:${proxy.port} cannot be reached (ECONNREFUSED)`);
  });

  it("refuses URLs that it cannot use, without repeating them", async () => {
    for (const rest of ["[/x", "h/x", "h?prefix={a}", "h?ttlMs=-1", "h?ttlMs=soon"]) {
      expect((await refusalOf(openRedisStore({ url: `redis://ada:${password}@${rest}` }))).code).toBe(
        "CONFIG_INVALID",
      );
    }
  });
});

describeServer("TEST_REDIS_URL", 6379, (url) => {
  const sandbox = redisSandbox(url);
  const client = new Redis(url);
  const proxies: TcpProxy[] = [];
  const stores: Store[] = [];

  const proxied = async (): Promise<TcpProxy> => {
    const proxy = await tcpProxy(addressOf(url, 6379));
    proxies.push(proxy);
    return proxy;
  };
  const opened = async (storeUrl: string, limits = {}): Promise<Store> => {
    const store = await openRedisStore({ url: storeUrl, ...limits });
    stores.push(store);
    return store;
  };
  const key = (rest: string) => `${sandbox.prefix}${rest}`;
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const proxy of proxies.splice(0)) await proxy.close();
    await sandbox.empty();
  });
  afterAll(async () => {
    client.disconnect();
    await sandbox.close();
  });

  describe("a Redis server that refuses", () => {
    it("a wrong password is told apart from a server that is away", async () => {
      const user = `ada-${process.pid}`;
      await client.call("acl", "setuser", user, "on", ">right", "~*", "+@all");
      try {
        const wrong = new URL(sandbox.url);
        [wrong.username, wrong.password] = [user, password];
        const { code, message } = await refusalOf(openRedisStore({ url: wrong.toString() }));
        expect([code, message]).toEqual(["STORE_UNAVAILABLE", expect.stringContaining("user or password")]);
        wrong.password = "right";
        await (await opened(wrong.toString())).flush();
      } finally {
        await client.call("acl", "deluser", user);
      }
    });

    it("keys of a newer version are left alone", async () => {
      await client.set(key("{list}:schema"), "99");
      const { code, message } = await refusalOf(openRedisStore({ url: sandbox.url }));
      expect([code, message]).toEqual(["STORE_SCHEMA_NEWER", expect.stringContaining("99")]);
    });

    it("somebody else's keys are called that, and nothing of what was to be written is told", async () => {
      const store = await opened(sandbox.url);
      const { id } = aSession();
      await client.set(key(`{${id}}:record`), "a string");
      const failing = store.create(aSession({ id, title: password }));
      await rejectsWith("STORE_CORRUPT", failing);
      await refusalOf(failing as Promise<never>);
    });

    it("scripts that the server has forgotten are sent again", async () => {
      const store = await opened(sandbox.url);
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(1), lease);
      await client.script("FLUSH");
      expect(await store.append(id, 1, someEntries(1, 2), lease)).toBe(2);
    });
  });

  describe("a Redis server that goes away", () => {
    it("loses and doubles no entry when connections break in the middle of appends", async () => {
      const proxy = await proxied();
      const store = await opened(throughPort(sandbox.url, proxy.port), { retryForMs: 10_000 });
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      let head = 0;
      for (let round = 0; round < 60; round += 1) {
        proxy.breakAfter(1 + ((round * 7) % 30));
        head = await store.append(id, head, someEntries(3, head + 1), lease);
        if (round % 4 !== 3) continue;
        proxy.breakAfter(1 + ((round * 131) % 700));
        const sealed = someEntries(2, head - 2);
        head = await store.seal(id, { from: head - 2, head }, sealed, lease);
      }
      const direct = await opened(sandbox.url);
      await assertJournal(direct, id, someEntries(head));
      expect(head).toBe(60 * 3 - 15);
    });

    it("tells an acquisition's own first try from somebody else's lease", async () => {
      const proxy = await proxied();
      const store = await opened(throughPort(sandbox.url, proxy.port), { retryForMs: 10_000 });
      const { id } = await store.create(aSession());
      for (let bytes = 1; bytes < 120; bytes += 6) {
        proxy.breakAfter(bytes);
        const request = {
          holder: { host: "h", pid: 1, startedAt: "s" },
          ttlMs: 60_000,
          mayTake: () => false,
        };
        const { lease, previous } = await store.acquire(id, request);
        expect(previous).toBeUndefined();
        await store.release(lease);
      }
    });

    it("creates, forks and deletes exactly once however the connection breaks", async () => {
      const proxy = await proxied();
      const store = await opened(throughPort(sandbox.url, proxy.port), { retryForMs: 10_000 });
      const { id: parentId } = await store.create(aSession());
      const lease = await leaseOf(store, parentId);
      await store.append(parentId, 0, someEntries(2), lease);
      await store.seal(parentId, { from: 3, head: 2 }, [], lease);
      for (let bytes = 1; bytes < 90; bytes += 9) {
        proxy.breakAfter(bytes);
        const alone = await store.create(aSession());
        proxy.breakAfter(bytes);
        const fork = await store.create(aSession({ lineage: { parentId, atSeq: 2 } }));
        proxy.breakAfter(bytes);
        expect(await store.delete(alone.id)).toBe(true);
        expect(await store.delete(fork.id)).toBe(true);
      }
      expect(await store.count()).toBe(1);
      await store.delete(parentId);
      expect(await client.keys(key("*"))).toEqual([key("{list}:schema")]);
    });

    it("fails in one line while the server is away, and goes on when it is back", async () => {
      const proxy = await proxied();
      const store = await opened(throughPort(sandbox.url, proxy.port), { retryForMs: 100 });
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(2), lease);
      await proxy.cut();
      const failing = [
        store.append(id, 2, someEntries(1, 3), lease),
        store.get(id),
        store.list(),
        store.acquire(id, { holder: lease.holder, ttlMs: 1, mayTake: () => true }),
      ];
      await Promise.all(failing.map((each) => rejectsWith("STORE_UNAVAILABLE", each)));
      await expect(failing[1]).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/);
      await proxy.restore();
      // The connection is made again in the background; a call that comes too early for it is tried again.
      const patient = await opened(throughPort(sandbox.url, proxy.port));
      expect(await patient.append(id, 2, someEntries(1, 3), lease)).toBe(3);
      await assertJournal(patient, id, someEntries(3));
    });

    it("carries a call over an absence that is short enough", async () => {
      const proxy = await proxied();
      const store = await opened(throughPort(sandbox.url, proxy.port), { retryForMs: 20_000 });
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await proxy.cut();
      const appending = store.append(id, 0, someEntries(2), lease);
      await proxy.restore();
      expect(await appending).toBe(2);
    });

    it("gives up a connection on which no answer comes", async () => {
      const proxy = await proxied();
      const limits = { retryForMs: 10_000, silenceTimeoutMs: 150, connectTimeoutMs: 150 };
      const store = await opened(throughPort(sandbox.url, proxy.port), limits);
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      proxy.mute(true);
      const appending = store.append(id, 0, someEntries(1), lease);
      setTimeout(() => proxy.mute(false), 400);
      expect(await appending).toBe(1);
      await assertJournal(store, id, someEntries(1));
    });

    it("closes at once while calls wait for the server, and soon while it answers nothing", async () => {
      const proxy = await proxied();
      const store = await opened(throughPort(sandbox.url, proxy.port), { retryForMs: 60_000 });
      const other = await opened(throughPort(sandbox.url, proxy.port), { retryForMs: 60_000 });
      proxy.mute(true);
      const unanswered = rejectsWith("STORE_UNAVAILABLE", other.get(aSession().id));
      await other.close();
      await unanswered;
      await proxy.cut();
      const waiting = rejectsWith("STORE_UNAVAILABLE", store.get(aSession().id));
      await store.close();
      await waiting;
    });
  });
});
