import fs from "node:fs";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { indexPath } from "../../../src/history/search/index-file.ts";
import { Searcher } from "../../../src/history/search/search.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { StoreDriver } from "../../../src/store/driver.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { asks, rigOn, scratch } from "./rig.ts";

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** A store with a session, and one who searches it by another way in. */
async function searched(overrides: Partial<StoreDriver> = {}, closeAfterMs?: number) {
  const folder = scratch();
  const store = await openSqliteStore({ path: path.join(folder, "sessions.db") });
  const { session } = rigOn(store);
  const id = await session([asks("acorn")]);
  const cacheFolder = path.join(folder, "cache");
  const registry = new SessionRegistry({ store: wrapStore(store, overrides) });
  const searcher = new Searcher(registry, { cacheFolder, closeAfterMs });
  closing.push(async () => {
    await searcher.close();
    await store.close();
  });
  const index = indexPath(cacheFolder, (await store.identity())!);
  return { id, store, searcher, index };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it("closes the index when nobody has searched for a while, and opens it again", async () => {
  const { id, searcher, index } = await searched({}, 5);
  expect(await searcher.search("acorn")).toMatchObject({ sessions: [{ id }] });
  // SQLite removes it when nobody has the file open any more.
  while (fs.existsSync(`${index}-wal`)) await turn();
  expect(await searcher.search("acorn")).toMatchObject({ sessions: [{ id }], indexed: 0 });
});

it("refuses what would wait behind a hundred others", async () => {
  let goOn: () => void = () => undefined;
  const mayList = new Promise<void>((resolve) => (goOn = resolve));
  const { searcher } = await searched({ count: async () => (await mayList, 1) });
  const searches = Array.from({ length: 110 }, () => searcher.search("acorn"));
  const settled = Promise.allSettled(searches);
  await expect(searches.at(-1)).rejects.toMatchObject({ code: "REQUEST_LIMIT" });
  goOn();
  const refused = (await settled).filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(9);
});

it("does not take damage of the store for damage of the index", async () => {
  let isDamaged = false;
  const damage = new SidecarError("STORE_CORRUPT", "A page of the store is damaged", {
    cause: Object.assign(new Error("malformed"), { code: "SQLITE_CORRUPT" }),
  });
  const { searcher, index } = await searched({
    count: () => {
      if (isDamaged) throw damage;
      return 1;
    },
  });
  await searcher.search("acorn");
  const { ino } = fs.statSync(index);
  isDamaged = true;
  await expect(searcher.search("acorn")).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  expect(fs.statSync(index).ino).toBe(ino);
});

it("makes an index anew that is damaged while it is open", async () => {
  const { id, searcher, index } = await searched();
  await searcher.search("acorn");
  const fd = fs.openSync(`${index}-wal`, "r+");
  fs.writeSync(fd, Buffer.alloc(fs.fstatSync(fd).size, 0x5a), 0);
  fs.closeSync(fd);
  fs.writeFileSync(index, "no database any more".repeat(1000));
  expect(await searcher.search("acorn")).toMatchObject({ sessions: [{ id }] });
});
