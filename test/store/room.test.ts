/** What is compressed survives: kills at any instant, repair of what is damaged, other readers of the same files. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, symlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { build } from "esbuild";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { luaInBundles } from "../../.ci/lua.mjs";
import { backUpStore, inspectStore, repairStore } from "../../src/care/maintenance.ts";
import type { SessionId } from "../../src/base/ids.ts";
import type { Store } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/open.ts";
import { aSession, entriesOf, leaseOf, mustGet, someEntries } from "../conformance/samples.ts";
import { redisSandbox } from "./redis/sandbox.ts";
import { describeServer } from "./servers.ts";
import { postgresSandbox } from "./sql/postgres/sandbox.ts";

const directory = mkdtempSync(join(tmpdir(), "acp-sidecar-room-"));
const program = join(directory, "compress-child.mjs");
let made = 0;

beforeAll(async () => {
  await build({
    entryPoints: [resolve("test/store/compress-child.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["better-sqlite3", "pg", "ioredis"],
    plugins: [luaInBundles],
  });
  symlinkSync(resolve("node_modules"), join(directory, "node_modules"));
});
afterAll(() => rm(directory, { recursive: true }));

function place(scheme: string): string {
  made += 1;
  return `${scheme}:${join(directory, `${scheme}${made}`)}`;
}

async function written(store: Store, count: number): Promise<SessionId> {
  const { id } = await store.create(aSession());
  const lease = await leaseOf(store, id);
  for (let head = 0; head < count; head += 1000)
    await store.seal(id, { from: head + 1, head }, someEntries(1000, head + 1), lease);
  await store.flush();
  await store.release(lease);
  return id;
}

async function killedWhileCompressing(url: string, id: SessionId, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [program, url, id], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  await delay(afterMs);
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Whatever was written is there, once and in order. */
async function expectWhole(url: string, id: SessionId, atLeast: number): Promise<void> {
  const store = await openStore(url);
  try {
    const { headSeq } = await mustGet(store, id);
    expect(headSeq).toBeGreaterThanOrEqual(atLeast);
    const read = await entriesOf(store, id);
    expect(read.map(({ data }) => data)).toEqual(someEntries(headSeq).map(({ data }) => data));
    expect(read.map(({ seq }) => seq)).toEqual(someEntries(headSeq).map((_, at) => at + 1));
  } finally {
    await store.close();
  }
}

async function survivesKills(url: string): Promise<void> {
  const store = await openStore(url);
  const id = await written(store, 20_000);
  await store.close();
  for (const afterMs of [0, 7, 40, 130, 260]) {
    await killedWhileCompressing(url, id, afterMs);
    await expectWhole(url, id, 20_000);
  }
}

describe("a kill while a session is compressed loses nothing", { tags: ["long"] }, () => {
  it("in SQLite", () => survivesKills(place("sqlite")), 60_000);
  it("in files", () => survivesKills(place("file")), 60_000);
  describeServer("TEST_POSTGRES_URL", 5432, (server) => {
    const sandbox = postgresSandbox(server);
    afterAll(sandbox.close);
    it("in PostgreSQL", () => survivesKills(sandbox.url), 60_000);
  });
  describeServer("TEST_REDIS_URL", 6379, (server) => {
    const sandbox = redisSandbox(server);
    afterAll(sandbox.close);
    it("in Redis", () => survivesKills(sandbox.url), 60_000);
  });
});

describe("what cares for a store knows what is compressed", () => {
  const compressed = async (url: string) => {
    const store = await openStore(url);
    const id = await written(store, 3000);
    await store.compress(id, await leaseOf(store, id));
    const { bytes } = await store.stats();
    await store.close();
    return { id, bytes };
  };

  it.each(["sqlite", "file"])("inspects and backs up a %s store", async (scheme) => {
    const url = place(scheme);
    const { id } = await compressed(url);
    expect(await inspectStore(url)).toEqual([]);
    const copy = place(scheme);
    await backUpStore(url, copy);
    await expectWhole(copy, id, 3000);
  });

  it("puts placeholders where a damaged run was, and reads all the rest", async () => {
    const url = place("sqlite");
    const { id } = await compressed(url);
    const db = new Database(url.slice("sqlite:".length));
    db.prepare("UPDATE entries SET data = substr(data, 1, 40) WHERE key & 0xffffffff = 1").run();
    db.close();
    expect(await inspectStore(url)).toMatchObject([{ sessionId: id, entries: { from: 1, through: 1 } }]);
    await repairStore(url);
    const store = await openStore(url);
    const lease = await leaseOf(store, id);
    await store.seal(id, { from: 3001, head: 3000 }, someEntries(1, 3001), lease);
    const read = await entriesOf(store, id);
    expect(read).toHaveLength(3001);
    expect(new Set(read.slice(0, 100).map(({ kind }) => kind))).toEqual(new Set(["message"]));
    expect(read[1]?.data).toContain("damaged");
    expect(read.at(-1)?.data).toBe(someEntries(1, 3001)[0]?.data);
    await store.close();
  });

  it("says which entry is damaged when a run cannot be unpacked", async () => {
    const url = place("sqlite");
    const { id } = await compressed(url);
    const db = new Database(url.slice("sqlite:".length));
    // Sound for its checksum, which rows of schema 1 do not have.
    db.prepare(
      "UPDATE entries SET data = substr(data, 1, 40), kind = kind & 255 WHERE key & 0xffffffff = 1",
    ).run();
    db.close();
    const store = await openStore(url);
    await expect(entriesOf(store, id, { from: 5, through: 6 })).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      data: { sessionId: id, seq: 1 },
    });
    await store.close();
  });
});
