/** Two roles on a real server: what neither finds of the other's, by us or by plain SQL. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rowSecurityOf, rowSecurityOff, rowSecurityOn } from "../../../src/care/postgres/row-security.ts";
import { thisHolder } from "../../../src/session/holder.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Store } from "../../../src/store/contract.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { openPostgresStore } from "../../../src/store/sql/postgres/store.ts";
import { aSession } from "../../conformance/samples.ts";
import { describeServer } from "../../store/servers.ts";
import { postgresSandbox } from "../../store/sql/postgres/sandbox.ts";

describeServer("TEST_POSTGRES_URL", 5432, (server) => {
  const sandbox = postgresSandbox(server);
  const names = ["ann", "bob"].map((name) => `acp_test_${name}_${process.pid}`);
  const opened: Store[] = [];
  const urlOf = (role: string) => {
    const url = new URL(sandbox.url);
    [url.username, url.password] = [role, "secret"];
    return url.toString();
  };
  const openAs = async (role = "") => {
    const store = await openPostgresStore({ url: urlOf(role) });
    opened.push(store);
    return store;
  };
  const [annName = "", bobName = ""] = names;

  beforeAll(async () => {
    for (const name of names) await sandbox.pool.query(`CREATE ROLE ${name} LOGIN PASSWORD 'secret'`);
  });
  afterAll(async () => {
    for (const store of opened) await store.close();
    await sandbox.drop();
    for (const name of names) await sandbox.pool.query(`DROP OWNED BY ${name}`);
    for (const name of names) await sandbox.pool.query(`DROP ROLE ${name}`);
    await sandbox.close();
  });

  it("gives each role its own rows, and nobody else's by whatever statement", async () => {
    expect(await rowSecurityOn(sandbox.url, names)).toMatchObject({ isOn: true });
    expect((await rowSecurityOf(sandbox.url)).roles).toEqual(expect.arrayContaining(names));
    const [ann, bob] = [await openAs(annName), await openAs(bobName)];
    const registry = new SessionRegistry({ store: ann });
    const { id } = await registry.create({
      cwd: "/a",
      title: "hers",
      metadata: { k: 1 },
      agentSessionIds: ["x"],
    });
    await registry.addMessage(id, { role: "user", content: "a secret" });
    const fork = await registry.fork(id);
    await registry.addMessage(fork.id, { role: "user", content: "another" });
    await bob.create(aSession({ title: "his" }));
    expect([(await bob.list()).items.length, await bob.count(), await bob.get(id)]).toEqual([
      1,
      1,
      undefined,
    ]);
    expect(await bob.count({ metadata: { k: 1 } })).toBe(0);
    expect(await bob.stats()).toMatchObject({ sessions: 1, entries: 0 });
    await expect(bob.update(id, { title: "x" })).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await expect(bob.create(aSession({ id }))).rejects.toMatchObject({ code: "SESSION_EXISTS" });
    const plain = new pg.Client({ connectionString: urlOf(bobName) });
    await plain.connect();
    const { rows: before } = await sandbox.pool.query(`SELECT * FROM ${sandbox.schema}.sessions ORDER BY id`);
    const journal = (await ann.stats()).entries;
    for (const table of ["sessions", "heads", "terms", "lineage", "blocks"]) {
      const of = `${sandbox.schema}.${table}`;
      const seen = await plain.query(`SELECT * FROM ${of} WHERE owner <> current_user`);
      expect(seen.rows, table).toEqual([]);
      expect((await plain.query(`UPDATE ${of} SET owner = owner WHERE owner <> current_user`)).rowCount).toBe(
        0,
      );
      expect((await plain.query(`DELETE FROM ${of} WHERE owner <> current_user`)).rowCount).toBe(0);
      await expect(plain.query(`UPDATE ${of} SET owner = '${annName}'`))
        .rejects.toMatchObject({ code: "42501" })
        .catch(async () => {
          // Of a table in which he has no row, nothing is changed.
          expect((await plain.query(`SELECT 1 FROM ${of}`)).rowCount).toBe(0);
        });
    }
    const { rows: journals } = await sandbox.pool.query<{ no: string }>(
      `SELECT journal_id AS no FROM ${sandbox.schema}.sessions WHERE id = $1`,
      [id],
    );
    await expect(
      plain.query(
        `INSERT INTO ${sandbox.schema}.blocks (journal_id, first_seq, entry_count, data) VALUES ($1, 99, 1, '')`,
        [journals[0]?.no],
      ),
    ).rejects.toMatchObject({ code: "42501" });
    await expect(plain.query(`UPDATE ${sandbox.schema}.meta SET version = 99`)).rejects.toMatchObject({
      code: "42501",
    });
    await expect(
      plain.query(`ALTER TABLE ${sandbox.schema}.sessions DISABLE ROW LEVEL SECURITY`),
    ).rejects.toMatchObject({ code: "42501" });
    await plain.end();
    expect((await sandbox.pool.query(`SELECT * FROM ${sandbox.schema}.sessions ORDER BY id`)).rows).toEqual(
      before,
    );
    expect((await ann.stats()).entries).toBe(journal);
    // A fork outlives its parent, and a session its turn, as without it.
    await registry.end(id);
    const said: string[] = [];
    for await (const { content } of registry.messages(fork.id)) said.push(JSON.stringify(content));
    expect(said.join()).toContain("a secret");
    await ann.flush();
    expect(await bob.textIndex()).toBeUndefined();
    const { lease } = await ann.acquire(fork.id, { holder: thisHolder(), ttlMs: 1000, mayTake: () => true });
    await ann.release(lease);
  });

  it("lets roles with one key use an encrypted store, each what is theirs", async () => {
    await sandbox.drop();
    const ring = new Keyring(randomBytes(32));
    await (await encryptedStore(await openPostgresStore({ url: sandbox.url }), ring)).close();
    await rowSecurityOn(sandbox.url, names);
    const [ann, bob] = [
      await encryptedStore(await openAs(annName), ring),
      await encryptedStore(await openAs(bobName), ring),
    ];
    const { id } = await ann.create(aSession({ title: "hers" }));
    expect(await ann.get(id)).toMatchObject({ title: "hers" });
    expect([await bob.get(id), await bob.count(), (await bob.list()).items]).toEqual([undefined, 0, []]);
  });

  it("is switched off again, and refused for other stores and names", async () => {
    expect(await rowSecurityOff(sandbox.url)).toMatchObject({ isOn: false });
    expect(await (await openAs(bobName)).count()).toBeGreaterThan(0);
    await expect(rowSecurityOf("memory:")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await expect(rowSecurityOn(sandbox.url, [`x" OR`])).rejects.toMatchObject({ code: "USAGE" });
    await expect(rowSecurityOn(urlOf(bobName), [])).rejects.toMatchObject({
      code: expect.stringMatching(/^STORE_/) as string,
    });
  });
});
