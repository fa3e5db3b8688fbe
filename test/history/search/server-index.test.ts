/** The index of words that PostgreSQL keeps for all who share a store. What it finds is judged by search.test.ts. */
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { openCacheStore } from "../../../src/store/memory/cache.ts";
import type { Store } from "../../../src/store/contract.ts";
import { catchUp } from "../../../src/history/search/catch-up.ts";
import { paceOf } from "../../../src/history/search/pace.ts";
import { openLayers, openStore, wrapStore } from "../../../src/index.ts";
import { describeServer } from "../../store/servers.ts";
import { postgresSandbox } from "../../store/sql/postgres/sandbox.ts";
import { asks, rigOn, says, scratch, seal } from "./rig.ts";

describeServer("TEST_POSTGRES_URL", 5432, (server) => {
  const sandbox = postgresSandbox(server);
  const { pool, schema } = sandbox;
  const closing: (() => Promise<void>)[] = [];
  afterAll(sandbox.close);
  beforeEach(async () => {
    await sandbox.drop();
    return async () => {
      for (const close of closing.splice(0).reverse()) await close();
    };
  });

  const rigFor = (store: Store) => {
    const cache = scratch();
    const rig = rigOn(store, cache);
    closing.push(async () => {
      await rig.close();
      await store.close();
    });
    return { ...rig, hasLocalIndex: () => fs.existsSync(path.join(cache, "search")) };
  };
  const rigHere = async (url = sandbox.url) => rigFor(await openStore(url));
  const count = async (table: string) =>
    Number((await pool.query<{ n: string }>(`SELECT count(*) AS n FROM ${schema}.${table}`)).rows[0]?.n);

  it("lies on the server, for the next one who searches, also behind a cache", async () => {
    const one = await rigHere();
    const id = await one.session([asks("acorn one"), says("acorn two")]);
    expect(await one.searcher.search("acorn")).toMatchObject({ indexed: 2, sessions: [{ id }] });
    const layered = rigFor(await openLayers([openCacheStore(), await openStore(sandbox.url)]));
    expect(await layered.searcher.search("acorn")).toMatchObject({ indexed: 0, sessions: [{ id }] });
    expect([one.hasLocalIndex(), layered.hasLocalIndex(), await count("search_messages")]).toEqual([
      false,
      false,
      2,
    ]);
  });

  it(
    "is made once by many who search at the same time: none does again what another has done",
    { tags: ["long"] },
    async () => {
      const { session, store } = await rigHere();
      const ids: string[] = [];
      for (let n = 0; n < 120; n += 1) ids.push(await session([asks(`walnut ${n}`), says("yes")], {}, n + 1));
      const rigs = [rigOn(store), await rigHere(), await rigHere()];
      const found = await Promise.all(rigs.map(({ searcher }) => searcher.search("walnut", { limit: 1000 })));
      expect(found.map(({ sessions }) => sessions.map(({ id }) => id))).toEqual(
        rigs.map(() => [...ids].reverse()),
      );
      expect(found.reduce((sum, { indexed }) => sum + indexed, 0)).toBe(240);
      expect([await count("search_messages"), await count("search_sessions")]).toEqual([240, 120]);
    },
  );

  it("goes on where it ended", { tags: ["long"] }, async () => {
    const { session, store, searcher } = await rigHere();
    for (let n = 0; n < 120; n += 1) await session([asks(`hazel ${n}`)], {}, n + 1);
    let reads = 0;
    const failing = rigOn(
      wrapStore(store, {
        read: (id, range) => {
          if ((reads += 1) > 70) throw new Error("pulled the plug");
          return store.read(id, range);
        },
      }),
    );
    const pace = { ...paceOf(), turnMs: 0 };
    const failed = catchUp(failing.registry, (await store.textIndex())!, { pace });
    await expect(failed).rejects.toThrow("pulled the plug");
    const { indexed } = await searcher.search("hazel");
    expect([indexed, await count("search_messages")]).toEqual([50, 120]);
  });

  it("finds what many messages have in the newest sessions, and what few have in the oldest", async () => {
    const { session, found } = await rigHere();
    const texts = Array.from({ length: 20 }, (_, n) => says(`maple ${n}`));
    const oldest = await session([asks("maple rare"), ...texts], { cwd: "/home/ada/old" }, 1);
    let newest = oldest;
    for (let n = 2; n < 122; n += 1) newest = await session(texts, {}, n);
    expect((await found("maple", { limit: 3 })).map((address) => address.split(":")[0])).toEqual([
      newest,
      newest,
      newest,
    ]);
    expect(await found("maple -3 rare")).toEqual([`${oldest}:1`]);
    expect(await found("maple", { cwd: "/home/ada/old", limit: 1 })).toEqual([`${oldest}:21`]);
    expect(new Set(await found("maple", { limit: 1000, perSession: 1 })).size).toBe(121);
  });

  it("keeps no word of a session that is deleted, before anybody searches again", async () => {
    const { session, searcher, found, registry } = await rigHere();
    const [kept, deleted] = [await session([asks("plum")]), await session([asks("plum"), says("plum")])];
    expect((await searcher.search("plum")).indexed).toBe(3);
    await registry.delete(deleted);
    expect(await count("search_messages")).toBe(1);
    expect(await found("plum")).toEqual([`${kept}:1`]);
    expect(await count("search_sessions")).toBe(1);
  });

  it("finds a session that was deleted and brought again under its id, in the place of the other", async () => {
    const { session, store, found, registry } = await rigHere();
    const id = await session([asks("quince one")], {}, 1000);
    await session([asks("quince two")], {}, 2000);
    expect(await found("quince", { in: id })).toEqual([`${id}:1`]);
    const { headSeq: _, sealedSeq: __, ...same } = (await store.get(id))!;
    await registry.delete(id);
    await store.create(same);
    await seal(store, id, [asks("quince one")], 1000);
    expect(await found("quince", { in: id })).toEqual([`${id}:1`]);
  });

  it("finds in messages with more words than the server takes, and by words that are too long", async () => {
    const { session, found, searcher } = await rigHere();
    const many = Array.from({ length: 140_000 }, (_, n) => `w${n.toString(36)}x`).join(" ");
    const id = await session([
      asks(`${many} pear`),
      says(`fig ${"\ufdfa".repeat(64)}`),
      says("fig ' \\ \0 \ud800 O'Neil"),
    ]);
    expect(await found("pear w1x")).toEqual([`${id}:1`]);
    expect(await found("fig")).toEqual([`${id}:3`, `${id}:2`]);
    expect(await found("\ufdfa".repeat(64))).toEqual([`${id}:2`]);
    expect(await found("o'neil")).toEqual([`${id}:3`]);
    expect((await searcher.search("fig")).indexed).toBe(0);
  });

  it("takes an agent whose name the server cannot hold", async () => {
    const { session, found } = await rigHere();
    const id = await session([asks("kiwi")], { agent: { info: { name: "a\0b\ud800c" } } });
    expect(await found("kiwi", { agent: "A\0B" })).toEqual([`${id}:1`]);
  });

  it("is made anew where it is older, and left alone where it is newer: then the index is a local one", async () => {
    const first = await rigHere();
    const id = await first.session([asks("olive")]);
    expect(await first.found("olive")).toEqual([`${id}:1`]);
    await pool.query(`UPDATE ${schema}.search_state SET version = 0`);
    const older = await rigHere();
    expect(await older.searcher.search("olive")).toMatchObject({ indexed: 1, sessions: [{ id }] });
    await pool.query(`UPDATE ${schema}.search_state SET version = 77`);
    const newer = await rigHere();
    expect(await newer.found("olive")).toEqual([`${id}:1`]);
    expect([older.hasLocalIndex(), newer.hasLocalIndex()]).toEqual([false, true]);
    const { rows } = await pool.query(`SELECT version::int FROM ${schema}.search_state`);
    expect(rows).toEqual([{ version: 77 }]);
  });

  it("is a local one for who may make no tables", async () => {
    const { session } = await rigHere();
    const id = await session([asks("lemon")]);
    const role = `${schema}_reader`;
    await pool.query(`CREATE ROLE ${role} LOGIN`);
    closing.unshift(async () => void (await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)));
    await pool.query(
      `GRANT USAGE ON SCHEMA ${schema} TO ${role};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
    );
    const url = new URL(sandbox.url);
    url.searchParams.set("options", `-c role=${role}`);
    const limited = await rigHere(url.toString());
    expect(await limited.found("lemon")).toEqual([`${id}:1`]);
    expect([limited.hasLocalIndex(), await isThere("search_state")]).toEqual([true, false]);
  });

  it("does not wait for one who died while he indexed, and fails in words where its tables are gone", async () => {
    const { session, found, searcher, store } = await rigHere();
    const id = await session([asks("mango")]);
    await searcher.catchUp();
    await seal(store, id, [says("mango")]);
    await pool.query(`UPDATE ${schema}.search_state SET lock_owner = 'gone', locked_until_ms = 1`);
    expect(await found("mango")).toEqual([`${id}:2`, `${id}:1`]);
    await (
      await store.textIndex()
    )?.alone?.(async () => {
      const left = `SELECT locked_until_ms - extract(epoch FROM clock_timestamp()) * 1000 AS ms FROM ${schema}.search_state`;
      const [row] = (await pool.query<{ ms: string }>(left)).rows;
      expect(Number(row?.ms)).toBeLessThanOrEqual(15_000);
    });
    await pool.query(`DROP TABLE ${schema}.search_messages`);
    await expect(found("mango")).rejects.toMatchObject({ code: "STORE_FAILED" });
    // Whoever comes next makes them anew.
    expect(await (await rigHere()).found("mango")).toEqual([`${id}:2`, `${id}:1`]);
  });

  it("does not wait for another who indexes when nobody waits for it, and keeps up in quiet moments", async () => {
    const { session, found, searcher, store } = await rigHere();
    const id = await session([asks("papaya")]);
    await searcher.catchUp();
    await seal(store, id, [says("papaya")]);
    const lock = (ms: number) =>
      pool.query(`UPDATE ${schema}.search_state SET lock_owner = 'other', locked_until_ms = $1`, [ms]);
    await lock(Number.MAX_SAFE_INTEGER);
    const ending = new AbortController();
    const looking = expect(searcher.search("papaya", {}, ending.signal));
    ending.abort();
    await looking.rejects.toMatchObject({ code: "REQUEST_CANCELLED" });
    const waiting = new AbortController();
    const idle = expect(searcher.catchUpIdly(waiting.signal, 0));
    setTimeout(() => waiting.abort(), 50);
    await idle.rejects.toMatchObject({ code: "REQUEST_CANCELLED" });
    await lock(1);
    await searcher.catchUpIdly(new AbortController().signal, 0);
    expect(await count("search_messages")).toBe(2);
    expect(await found("papaya")).toEqual([`${id}:2`, `${id}:1`]);
  });

  const isThere = async (table: string) => {
    const text = "SELECT to_regclass($1) IS NOT NULL AS there";
    return (await pool.query<{ there: boolean }>(text, [`${schema}.${table}`])).rows[0]?.there;
  };
});
