/** Long work that is watched: told how far it is, and ended in the middle of a session. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { migrateSessions } from "../../src/care/migrate.ts";
import { backupSqliteStore } from "../../src/care/sqlite/backup.ts";
import { verifySessions } from "../../src/care/verify.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { emptySession } from "../../src/session/registry-options.ts";
import type { Store } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/open.ts";

async function storeWith(entries: number): Promise<Store> {
  const store = await openStore("memory:");
  for (let n = 0; n < 3; n += 1) {
    const id = newSessionId();
    await store.create({ ...emptySession, id, createdAtMs: 1, updatedAtMs: 1, cwd: "/" });
    const { lease } = await store.acquire(id, { holder: thisHolder(), ttlMs: 60_000, mayTake: () => false });
    const data = JSON.stringify({ prompt: [{ type: "text", text: "x" }] });
    const all = Array.from({ length: entries }, () => ({ kind: "prompt" as const, atMs: 1, data }));
    await store.seal(id, { from: 1, head: 0 }, all, lease);
    await store.release(lease);
  }
  return store;
}

/** Works that are watched, each on a store of three sessions. */
const works: readonly [string, (store: Store, watch: object) => Promise<unknown>][] = [
  ["a verification", (store, watch) => verifySessions(store, {}, watch)],
  [
    "a migration",
    async (store, watch) => migrateSessions(store, await openStore("memory:"), undefined, watch),
  ],
];

describe.each(works)("%s", (name, work) => {
  it("ends when it is asked to, in the middle of a session", async () => {
    const store = await storeWith(5000);
    const stop = new AbortController();
    let entries = 0;
    const onEntries = (count: number) => {
      entries += count;
      stop.abort(new Error("enough"));
    };
    await expect(work(store, { onEntries, signal: stop.signal })).rejects.toThrow("enough");
    expect(entries).toBeLessThan(5000);
  });

  it("waits for who is told of it", async () => {
    const store = await storeWith(5);
    let isTold = true;
    const onEntries = async () => {
      expect(isTold).toBe(true);
      isTold = false;
      await new Promise((resolve) => setImmediate(resolve));
      isTold = true;
    };
    await work(store, { onEntries });
    expect(isTold).toBe(true);
    if (name !== "a verification") return;
    const told: number[][] = [];
    await work(store, { onProgress: (...all: number[]) => void told.push(all) });
    expect(told).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });
});

describe("a backup of a SQLite store", () => {
  const folder = mkdtempSync(join(tmpdir(), "acp-sidecar-watch-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function aDatabase(): Promise<string> {
    const file = join(mkdtempSync(join(folder, "store-")), "a.db");
    const store = await openStore(`sqlite:${file}`);
    await store.create({ ...emptySession, id: newSessionId(), createdAtMs: 1, updatedAtMs: 1, cwd: "/" });
    await store.close();
    return file;
  }

  it("is over when the last report has been taken, and takes none beside another", async () => {
    const file = await aDatabase();
    let [taken, under, most] = [0, 0, 0];
    const onProgress = async () => {
      most = Math.max(most, (under += 1));
      for (let n = 0; n < 50; n += 1) await new Promise((resolve) => setImmediate(resolve));
      under -= 1;
      taken += 1;
    };
    await backupSqliteStore(file, `${file}.copy`, { onProgress });
    expect([taken > 0, under, most]).toEqual([true, 0, 1]);
  });

  it.each([
    ["at once", () => expect.unreachable("no screen")],
    ["later", () => Promise.reject(new Error("no screen"))],
  ])("fails, and leaves nothing, when who is told of it fails %s", async (_, onProgress) => {
    const file = await aDatabase();
    await expect(backupSqliteStore(file, `${file}.copy`, { onProgress })).rejects.toThrow("no screen");
    expect(readdirSync(dirname(file)).filter((name) => /copy|partial/.test(name))).toEqual([]);
  });
});
