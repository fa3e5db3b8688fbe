import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { newSessionId } from "../../../src/base/ids.ts";
import { indexPath } from "../../../src/history/search/index-file.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { loadEngine } from "../../../src/sqlite/engines.ts";
import { asks, rigOn, says, scratch, seal } from "./rig.ts";

async function setUp() {
  const folder = scratch();
  const file = path.join(folder, "sessions.db");
  const cache = path.join(folder, "cache");
  const store = await openSqliteStore({ path: file });
  const rig = rigOn(store, cache);
  const index = indexPath(cache, (await store.identity())!);
  return { folder, file, cache, index, ...rig };
}

describe("the index of a store", () => {
  it("is readable by its owner only, and kept for the next process", async () => {
    const { session, found, searcher, registry, cache, index, store } = await setUp();
    const id = await session([asks("acorn")]);
    expect(await found("acorn")).toEqual([`${id}:1`]);
    await searcher.close();
    expect(fs.statSync(index).mode & 0o777).toBe(0o600);
    expect(fs.statSync(path.dirname(index)).mode & 0o777).toBe(0o700);
    const next = rigOn(store, cache);
    expect(await next.searcher.search("acorn")).toMatchObject({ indexed: 0, sessions: [{ id }] });
    await next.close();
    await registry.close();
    await store.close();
  });

  it.each<[string, (file: string) => void | Promise<void>]>([
    ["is no database", (file: string) => fs.writeFileSync(file, "x".repeat(10_000))],
    ["is empty", (file: string) => fs.truncateSync(file, 0)],
    ["is cut off", (file: string) => fs.truncateSync(file, 8192)],
    ["has lost pages", (file: string) => scribble(file)],
    ["is of another schema", (file: string) => pragma(file, "user_version = 77")],
    ["is another program's", (file: string) => pragma(file, "application_id = 1")],
  ])("is made anew where it %s", async (_, damage) => {
    const { session, found, searcher, index, store, close } = await setUp();
    const ids = [];
    for (let n = 0; n < 40; n += 1) ids.push(await session([asks(`walnut ${n} ${"x y z ".repeat(50)}`)]));
    expect(await found("walnut", { limit: 100 })).toHaveLength(40);
    await searcher.close();
    await damage(index);
    expect(await found("walnut", { limit: 100 })).toHaveLength(40);
    expect((await searcher.search("walnut")).indexed).toBe(0);
    await close();
    await store.close();
  });

  it("follows a store that was restored, also at the same place", async () => {
    const { session, found, store, file, cache, close } = await setUp();
    const id = await session([asks("hazel one")]);
    expect(await found("hazel")).toEqual([`${id}:1`]);
    await close();
    await store.close();
    fs.copyFileSync(file, `${file}.bak`);
    const later = await openSqliteStore({ path: file });
    const second = rigOn(later, cache);
    await second.add(id, [says("hazel two"), says("hazel three")]);
    const gone = await second.session([asks("hazel four")]);
    expect(await second.found("hazel")).toEqual([`${gone}:1`, `${id}:3`, `${id}:2`, `${id}:1`]);
    await second.close();
    await later.close();
    fs.copyFileSync(`${file}.bak`, file);
    const restored = await openSqliteStore({ path: file });
    const third = rigOn(restored, cache);
    expect(await third.found("hazel")).toEqual([`${id}:1`]);
    await third.add(id, [says("other"), says("words hazel")]);
    expect(await third.found("hazel")).toEqual([`${id}:3`, `${id}:1`]);
    expect(await third.found("two")).toEqual([]);
    await third.close();
    await restored.close();
  });

  it("is in memory where no file can be", async () => {
    const { session, store, cache, registry } = await setUp();
    const id = await session([asks("pecan")]);
    fs.writeFileSync(cache, "a file in the way");
    const rig = rigOn(store, cache);
    expect(await rig.found("pecan")).toEqual([`${id}:1`]);
    await rig.close();
    await registry.close();
    await store.close();
  });

  it("takes a session that is sealed and deleted while it is read, and one that is imported with an old time", async () => {
    const { session, found, store, registry, close } = await setUp();
    const ids = [];
    for (let n = 0; n < 30; n += 1) ids.push(await session([asks(`almond ${n}`), says("almond")]));
    const searching = found("almond", { limit: 100, perSession: 2 });
    const [sealed, deleted] = [ids[3]!, ids[20]!];
    await Promise.all([seal(store, sealed, [says("almond more")]), registry.delete(deleted)]);
    const addresses = await searching;
    expect(addresses.filter((address) => !address.startsWith(deleted)).length).toBeGreaterThanOrEqual(58);
    const after = await found("almond", { limit: 100, perSession: 3 });
    expect(after).toHaveLength(59);
    expect(after).toContain(`${sealed}:3`);
    const old = await registry.create({ cwd: "/old" }, newSessionId());
    await seal(store, old.id, [asks("almond of long ago")], 1000);
    await store.update(old.id, { updatedAtMs: 1000 });
    expect(await found("ago")).toEqual([`${old.id}:1`]);
    await close();
    await store.close();
  });

  it("is shared by searches at once, of this process and of others", async () => {
    const { session, store, cache, close } = await setUp();
    const ids = [];
    for (let n = 0; n < 60; n += 1) ids.push(await session([asks(`chestnut ${n}`)]));
    const rigs = Array.from({ length: 4 }, () => rigOn(store, cache));
    const all = await Promise.all(rigs.map((rig) => rig.found("chestnut", { limit: 100 })));
    for (const each of all) expect(each).toHaveLength(60);
    for (const rig of rigs) await rig.close();
    await close();
    await store.close();
  });
});

function scribble(file: string): void {
  const size = fs.statSync(file).size;
  const fd = fs.openSync(file, "r+");
  for (let at = 4096; at < size; at += 4096) fs.writeSync(fd, Buffer.alloc(2048, 0x5a), 0, 2048, at);
  fs.closeSync(fd);
}

async function pragma(file: string, text: string): Promise<void> {
  const db = (await loadEngine()).open(file);
  db.pragma(text);
  db.close();
}
