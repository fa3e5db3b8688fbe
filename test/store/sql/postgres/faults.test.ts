import { describe, expect, it } from "vitest";
import { openPostgresStore, type PostgresStoreOptions } from "../../../../src/store/sql/postgres/store.ts";
import {
  aSession,
  anEntry,
  assertJournal,
  entriesOf,
  leaseOf,
  rejectsWith,
  someEntries,
} from "../../../conformance/samples.ts";
import { password, refusalOf } from "../../refusals.ts";
import { goesAway, onServerOf } from "../../server-away.ts";
import { addressOf, describeServer } from "../../servers.ts";
import { postgresSandbox } from "./sandbox.ts";
import { tcpProxy } from "../../tcp-proxy.ts";

type Limits = Omit<PostgresStoreOptions, "url">;

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
  const server = { name: "PostgreSQL", address: addressOf(url, 5432), sandbox, open: openPostgresStore };
  const rig = onServerOf<Limits>(server);
  const opened = (storeUrl: string) => rig.opened(storeUrl, {});

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

    it(
      "a seal of what takes longer on its way than a transaction may wait is made, once",
      { tags: ["long"] },
      async () => {
        const { proxy, url: slowUrl } = await rig.proxied();
        const store = await rig.opened(`${slowUrl}&pool=1`, { transactionIdleMs: 1000, retryForMs: 0 });
        const { id } = await store.create(aSession());
        const lease = await leaseOf(store, id);
        // Twice: the second time its statement might be prepared already, and the text the first to be sent.
        for (let head = 0; head < 4; head += 2) {
          await store.append(id, head, someEntries(2, head + 1), lease);
          proxy.slow(2000);
          const large = anEntry(`${head} ${"x".repeat(6 << 20)}`);
          expect(
            await store.seal(id, { from: head + 1, head: head + 2 }, [large, anEntry("end")], lease),
          ).toBe(head + 2);
          proxy.slow(Infinity);
        }
        expect((await entriesOf(store, id)).map(({ data }) => data.length > 6 << 20)).toEqual([
          true,
          false,
          true,
          false,
        ]);
      },
    );

    it("a server that takes no writes says so, and reads go on", async () => {
      const store = await opened(`${sandbox.url}&options=-c%20default_transaction_read_only%3Doff`);
      const { id } = await store.create(aSession());
      const readOnly = await opened(`${sandbox.url}&options=-c%20default_transaction_read_only%3Don`);
      await rejectsWith("STORE_READONLY", readOnly.update(id, { title: "x" }));
      expect((await readOnly.get(id))?.id).toBe(id);
    });
  });

  goesAway({
    server,
    rig,
    limits: ({ retryForMs, answerMs }) => ({
      retryForMs,
      ...(answerMs !== undefined && { statementTimeoutMs: answerMs, connectTimeoutMs: answerMs }),
    }),
    breaks: { append: 40, acquire: 800, create: 500 },
    leftOver: async () => {
      const { schema, pool } = sandbox;
      const tables = ["sessions", "heads", "terms", "lineage", "blocks"];
      const counts = tables.map((table) => pool.query(`SELECT 1 FROM ${schema}.${table} LIMIT 1`));
      const found = await Promise.all(counts);
      return tables.filter((_, at) => found[at]?.rowCount !== 0);
    },
  });
});
