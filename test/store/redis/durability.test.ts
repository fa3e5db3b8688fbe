import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { Redis } from "ioredis";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import type { Store } from "../../../src/store/contract.ts";
import { aSession, assertJournal, leaseOf, rejectsWith, someEntries } from "../../conformance/samples.ts";
import { redisProgram, startRedis, startRedisCluster, type RedisServer } from "./server.ts";

const version = /v=(\d+)\.(\d+)/.exec(
  spawnSync(redisProgram, ["--version"], { encoding: "utf8" }).stdout ?? "",
);
const hasWaitAof = Number(version?.[1]) * 100 + Number(version?.[2]) >= 702;

// Needs the program redis-server, which it starts with several settings; in CI it must be there.
describe.skipIf(version === null && process.env["CI"] !== "true")("what Redis promises", () => {
  const servers: RedisServer[] = [];
  const stores: Store[] = [];
  const started = async (...settings: string[]) => {
    const server = await startRedis(...settings);
    servers.push(server);
    return server;
  };
  const opened = async ({ url }: RedisServer) => {
    const store = await openRedisStore({ url });
    stores.push(store);
    return store;
  };
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const server of servers.splice(0)) await server.stop();
  });

  it("is nothing for a power cut while it keeps no log, or leaves syncing to the system", async () => {
    for (const settings of [
      ["--appendonly", "no"],
      ["--appendonly", "yes", "--appendfsync", "no"],
    ]) {
      const store = await opened(await started(...settings));
      expect(store.capabilities.survivesPowerLoss).toBe(false);
      await store.flush();
    }
  });

  it("is everything answered when it syncs before it answers", async () => {
    const server = await started("--appendonly", "yes", "--appendfsync", "always");
    const store = await opened(server);
    expect(store.capabilities.survivesPowerLoss).toBe(true);
    const { id } = await store.create(aSession());
    await store.append(id, 0, someEntries(50), await leaseOf(store, id));
    await server.kill();
    await server.restart();
    await assertJournal(await opened(server), id, someEntries(50));
  });

  it(`is everything flushed when it syncs by the second, as ${hasWaitAof ? "" : "no "}WAITAOF here can tell`, async () => {
    const server = await started("--appendonly", "yes", "--appendfsync", "everysec");
    const store = await opened(server);
    expect(store.capabilities.survivesPowerLoss).toBe(hasWaitAof);
    const { id } = await store.create(aSession());
    await store.append(id, 0, someEntries(50), await leaseOf(store, id));
    await Promise.all([store.flush(), store.flush()]);
    if (!hasWaitAof) return;
    const client = new Redis(server.url);
    // All that was written is synced by now, by the server's own account.
    expect(await client.call("info", "persistence")).toMatch(/aof_pending_bio_fsync:0/);
    client.disconnect();
  });

  // Redis before 7.2 has no WAITAOF, and so nothing of this.
  it.skipIf(!hasWaitAof)("is kept by every server of a cluster that was written to", async () => {
    const cluster = await startRedisCluster("--appendonly", "yes");
    servers.push(...cluster);
    const store = await opened(cluster[0] as RedisServer);
    expect(store.capabilities.survivesPowerLoss).toBe(true);
    for (let i = 0; i < 60; i += 1) await store.create(aSession());
    await store.flush();
    for (const { url } of cluster) {
      const client = new Redis(url);
      // Synced by request, a second has not passed: nothing is left to sync.
      expect(await client.call("waitaof", 1, 0, 1)).toEqual([1, 0]);
      expect(String(await client.call("info", "commandstats"))).toMatch(/cmdstat_waitaof:calls=([2-9]|\d\d)/);
      client.disconnect();
    }
  });

  it("is told carefully when CONFIG is not for us", async () => {
    const server = await started(
      "--appendonly",
      "yes",
      "--appendfsync",
      "always",
      "--rename-command",
      "CONFIG",
      "",
    );
    expect((await opened(server)).capabilities.survivesPowerLoss).toBe(hasWaitAof);
  });

  it("ends with a clear word when its memory is full, and goes on when there is room", async () => {
    const server = await started("--maxmemory", "8mb", "--maxmemory-policy", "noeviction");
    const store = await opened(server);
    const { id } = await store.create(aSession());
    const lease = await leaseOf(store, id);
    const large = [{ kind: "update" as const, atMs: 1, data: JSON.stringify("x".repeat(1 << 20)) }];
    let head = 0;
    const filling = async () => {
      for (;;) head = await store.append(id, head, large, lease);
    };
    await rejectsWith("STORE_FULL", filling());
    expect((await store.get(id))?.headSeq).toBe(head);
    const client = new Redis(server.url);
    await client.config("SET", "maxmemory", "64mb");
    client.disconnect();
    expect(await store.append(id, head, large, lease)).toBe(head + 1);
  });
});
