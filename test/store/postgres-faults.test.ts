import { afterAll, afterEach, describe, expect, it } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import type { Store } from "../../src/store/store.ts";
import { aSession, assertJournal, leaseOf, rejectsWith, someEntries } from "../conformance/samples.ts";
import { password, refusalOf } from "./refusals.ts";
import { addressOf, describeServer, throughPort } from "./servers.ts";
import { postgresSandbox } from "./postgres-sandbox.ts";
import { tcpProxy, type TcpProxy } from "./tcp-proxy.ts";

describe("opening a PostgreSQL store", () => {
  it("says what to install when pg is missing", async () => {
    const name: string = "no-such-package-as-pg";
    const missing = () => import(name);
    const { code, message } = await refusalOf(
      openPostgresStore({ url: "postgres://localhost/test", loadDriver: missing }),
    );
    expect(code).toBe("STORE_UNAVAILABLE");
    expect(message).toContain("npm install pg");
  });

  it("says that nobody listens, at once", async () => {
    const proxy = await tcpProxy({ host: "127.0.0.1", port: 1 });
    await proxy.close();
    const url = `postgres://ada:${password}@127.0.0.1:${proxy.port}/test`;
    const { code, message } = await refusalOf(openPostgresStore({ url }));
    expect(code).toBe("STORE_UNAVAILABLE");
    expect(message).toContain(`127.0.0.1:${proxy.port}/test cannot be reached (ECONNREFUSED)`);
  });

  it("refuses URLs that it cannot use, without repeating them", async () => {
    for (const url of [
      `postgres://ada:${password}@[/x`,
      `mysql://ada:${password}@h/x`,
      `postgres://ada:${password}@h/x?schema=Bad;--`,
      `postgres://ada:${password}@h/x?pool=0`,
    ]) {
      expect((await refusalOf(openPostgresStore({ url }))).code).toBe("CONFIG_INVALID");
    }
  });
});

describeServer("TEST_POSTGRES_URL", 5432, (url) => {
  const sandbox = postgresSandbox(url);
  const proxies: TcpProxy[] = [];
  const stores: Store[] = [];

  const proxied = async (): Promise<TcpProxy> => {
    const proxy = await tcpProxy(addressOf(url, 5432));
    proxies.push(proxy);
    return proxy;
  };
  const opened = async (storeUrl: string, limits = {}): Promise<Store> => {
    const store = await openPostgresStore({ url: storeUrl, ...limits });
    stores.push(store);
    return store;
  };
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const proxy of proxies.splice(0)) await proxy.close();
  });
  afterAll(sandbox.close);

  describe("a PostgreSQL server that refuses", () => {
    it("a database that is not there is named, with the way to make it", async () => {
      const missing = new URL(sandbox.url);
      missing.pathname = "/no_such_database";
      const { code, message } = await refusalOf(openPostgresStore({ url: missing.toString() }));
      expect([code, message]).toEqual(["STORE_UNAVAILABLE", expect.stringContaining("createdb")]);
    });

    it("tables of a newer version are left alone", async () => {
      await (await opened(sandbox.url)).close();
      await sandbox.pool.query(`UPDATE ${sandbox.schema}.meta SET version = 99`);
      const { code, message } = await refusalOf(openPostgresStore({ url: sandbox.url }));
      await sandbox.drop();
      expect([code, message]).toEqual(["STORE_SCHEMA_NEWER", expect.stringContaining("99")]);
    });

    it("a disk that is full ends a write with a clear word, and the session goes on when there is room", async () => {
      const store = await opened(sandbox.url);
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(2), lease);
      const { schema, pool } = sandbox;
      // The server's own answer to a full disk, given on demand.
      await pool.query(`CREATE FUNCTION ${schema}.filled() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$`);
      await pool.query(
        `CREATE TRIGGER filled BEFORE INSERT ON ${schema}.blocks EXECUTE FUNCTION ${schema}.filled()`,
      );
      for (const write of [
        () => store.append(id, 2, someEntries(1, 3), lease),
        () => store.seal(id, { from: 2, head: 2 }, someEntries(1, 2), lease),
      ]) {
        await expect(write()).rejects.toMatchObject({
          code: "STORE_FULL",
          message: expect.stringMatching(/^[^\n]*no disk space left; make room[^\n]*$/) as string,
        });
      }
      await assertJournal(store, id, someEntries(2));
      await pool.query(`DROP FUNCTION ${schema}.filled() CASCADE`);
      expect(await store.append(id, 2, someEntries(1, 3), lease)).toBe(3);
      await assertJournal(store, id, someEntries(3));
    });

    it("a write that the server undoes for the sake of others (40001) is made again, once", async () => {
      const store = await opened(sandbox.url);
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      const { schema, pool } = sandbox;
      // Two of three are undone, by the server's own error; a sequence keeps count, whatever is undone.
      await pool.query(`CREATE SEQUENCE ${schema}.tries`);
      await pool.query(`CREATE FUNCTION ${schema}.undone() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF nextval('${schema}.tries') % 3 > 0 THEN
        RAISE EXCEPTION 'restart transaction' USING ERRCODE = 'serialization_failure'; END IF; RETURN NEW; END $$`);
      await pool.query(
        `CREATE TRIGGER undone BEFORE INSERT ON ${schema}.blocks EXECUTE FUNCTION ${schema}.undone()`,
      );
      for (let at = 0; at < 6; at += 2) await store.append(id, at, someEntries(2, at + 1), lease);
      expect(await store.seal(id, { from: 5, head: 6 }, someEntries(1, 5), lease)).toBe(5);
      await assertJournal(store, id, someEntries(5));
      const { rows } = await pool.query(`SELECT last_value FROM ${schema}.tries`);
      expect(Number((rows as { last_value: string }[])[0]?.last_value)).toBeGreaterThan(8);
      await pool.query(`DROP FUNCTION ${schema}.undone() CASCADE`);
    });

    it("a server that takes no writes says so, and reads go on", async () => {
      const store = await opened(`${sandbox.url}&options=-c%20default_transaction_read_only%3Doff`);
      const { id } = await store.create(aSession());
      const readOnly = await opened(`${sandbox.url}&options=-c%20default_transaction_read_only%3Don`);
      await rejectsWith("STORE_READONLY", readOnly.update(id, { title: "x" }));
      expect((await readOnly.get(id))?.id).toBe(id);
    });
  });

  describe("a PostgreSQL server that goes away", () => {
    it("loses and doubles no entry when connections break in the middle of appends", async () => {
      const proxy = await proxied();
      const store = await opened(throughPort(sandbox.url, proxy.port), { retryForMs: 10_000 });
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      let head = 0;
      for (let round = 0; round < 60; round += 1) {
        // Cuts fall before, within and behind the server's answer: the outcome is often unknown.
        proxy.breakAfter(1 + ((round * 7) % 40));
        head = await store.append(id, head, someEntries(3, head + 1), lease);
        if (round % 4 !== 3) continue;
        proxy.breakAfter(1 + ((round * 13) % 120));
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
      for (let bytes = 1; bytes < 800; bytes += 37) {
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
      const before = await store.count();
      const { id: parentId } = await store.create(aSession());
      for (let bytes = 1; bytes < 500; bytes += 45) {
        proxy.breakAfter(bytes);
        const alone = await store.create(aSession());
        proxy.breakAfter(bytes);
        const fork = await store.create(aSession({ lineage: { parentId, atSeq: 0 } }));
        proxy.breakAfter(bytes);
        expect(await store.delete(alone.id)).toBe(true);
        expect(await store.delete(fork.id)).toBe(true);
      }
      expect(await store.count()).toBe(before + 1);
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
      await proxy.restore();
      expect(await store.append(id, 2, someEntries(1, 3), lease)).toBe(3);
      await assertJournal(store, id, someEntries(3));
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
      const limits = { retryForMs: 10_000, statementTimeoutMs: 150, connectTimeoutMs: 150 };
      const store = await opened(throughPort(sandbox.url, proxy.port), limits);
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      proxy.mute(true);
      const appending = store.append(id, 0, someEntries(1), lease);
      setTimeout(() => proxy.mute(false), 400);
      expect(await appending).toBe(1);
      await assertJournal(store, id, someEntries(1));
    });

    it("closes at once while calls wait for the server, and soon while one answers nothing", async () => {
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
