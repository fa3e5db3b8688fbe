/** What a PostgreSQL store makes of its server: what a commit is worth there, a pooler, many at once. */
import { afterAll, expect, it } from "vitest";
import { judge } from "../../../../src/store/sql/postgres/sync-policy.ts";
import { openPostgresStore } from "../../../../src/store/sql/postgres/store.ts";
import { aSession, assertJournal, leaseOf, someEntries } from "../../../conformance/samples.ts";
import { describeServer } from "../../servers.ts";
import { postgresSandbox } from "./sandbox.ts";

describeServer("TEST_POSTGRES_URL", 5432, (url) => {
  const sandbox = postgresSandbox(url);
  afterAll(sandbox.close);
  it("tells what a commit is worth on this server, and makes up for it when flushed", async () => {
    const store = await openPostgresStore({ url: `${sandbox.url}&options=-c%20synchronous_commit%3Doff` });
    expect(store.capabilities.survivesPowerLoss).toBe(true);
    const { id } = await store.create(aSession());
    await store.append(id, 0, someEntries(3), await leaseOf(store, id));
    const written = await sandbox.pool.query<{ lsn: string }>("SELECT pg_current_wal_insert_lsn() AS lsn");
    await store.flush();
    const lsn = written.rows[0]?.lsn;
    const synced = await sandbox.pool.query("SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn AS synced", [
      lsn,
    ]);
    expect(synced.rows).toEqual([{ synced: true }]);
    await store.close();
    const said = { version: "PostgreSQL 17.1", fsync: "on", commits: "on" };
    expect(judge(said)).toBe("onCommit");
    expect(judge({ ...said, fsync: "off" })).toBe("none");
    expect(judge({ ...said, version: "PostgreSQL 11.2-YB-2.21.0.0-b0" })).toBe("none");
    expect(judge({ version: "CockroachDB CCL v24.1", fsync: null, commits: null })).toBe("onCommit");
  });

  it("works through a connection pooler, which cannot bear statements prepared by name", async () => {
    await sandbox.empty();
    const store = await openPostgresStore({ url: `${sandbox.url}&prepare=false&pool=1` });
    const { id } = await store.create(aSession());
    const lease = await leaseOf(store, id);
    const appends = Array.from({ length: 20 }, (_, i) => store.append(id, i, someEntries(1, i + 1), lease));
    await Promise.all(appends);
    await assertJournal(store, id, someEntries(20));
    await store.close();
  });

  it("makes the tables once, however many open the store at the same time", async () => {
    await sandbox.drop();
    const stores = await Promise.all(
      Array.from({ length: 6 }, () => openPostgresStore({ url: sandbox.url })),
    );
    await stores[0]?.create(aSession());
    expect(await Promise.all(stores.map((store) => store.count()))).toEqual([1, 1, 1, 1, 1, 1]);
    for (const store of stores) await store.close();
  });
});
