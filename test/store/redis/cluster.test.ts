import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, Redis } from "ioredis";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import type { Store } from "../../../src/store/contract.ts";
import { aSession, assertJournal, leaseOf, listAll, someEntries } from "../../conformance/samples.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { redisSandbox, type RedisSandbox } from "./sandbox.ts";
import { redisProgram, startRedisCluster, type RedisServer } from "./server.ts";

const installed = spawnSync(redisProgram, ["--version"]).status === 0;

// Needs the program redis-server, of which it starts three; in CI it must be there.
describe.skipIf(!installed && process.env["CI"] !== "true")("on a Redis cluster", () => {
  let servers: readonly RedisServer[] = [];
  let sandbox: RedisSandbox;

  beforeAll(async () => {
    servers = await startRedisCluster();
    const seeds = servers.map(({ port }) => ({ host: "127.0.0.1", port }));
    const cluster = new Cluster(seeds);
    sandbox = redisSandbox(servers[0]?.url ?? "", cluster);
  });
  afterAll(async () => {
    await sandbox.close();
    for (const server of servers) await server.stop();
  });

  // What the suite asks of one server in store.test.ts, once more.
  describe("of three servers", { tags: ["long"] }, () => {
    storeConformance(
      { describe, it },
      {
        name: "redis",
        open: async () => {
          await sandbox.empty();
          return openRedisStore({ url: sandbox.url });
        },
        reopen: () => openRedisStore({ url: sandbox.url }),
        capabilities: { persistent: true, shared: true, survivesPowerLoss: false },
        modelRuns: 5,
      },
    );
  });

  it("spreads sessions over its servers", async () => {
    await sandbox.empty();
    const store: Store = await openRedisStore({ url: sandbox.url });
    const ids = [];
    for (let i = 0; i < 12; i += 1) {
      const { id } = await store.create(aSession());
      await store.append(id, 0, someEntries(2), await leaseOf(store, id));
      ids.push(id);
    }
    expect((await listAll(store, { limit: 5 })).length).toBe(12);
    for (const id of ids) await assertJournal(store, id, someEntries(2));
    await store.close();
  });

  it(
    "loses and doubles nothing when connections to its servers break in the middle of writes",
    { tags: ["long"] },
    async () => {
      await sandbox.empty();
      const store: Store = await openRedisStore({ url: sandbox.url, retryForMs: 20_000 });
      const clients = servers.map(({ url }) => new Redis(url));
      const sessions = [];
      for (let i = 0; i < 6; i += 1) {
        const { id } = await store.create(aSession());
        sessions.push({ id, lease: await leaseOf(store, id) });
      }
      const killing = { done: false };
      const killer = (async () => {
        while (!killing.done) {
          for (const client of clients)
            await client.call("client", "kill", "type", "normal", "skipme", "yes");
          await store.count();
        }
      })();
      await Promise.all(
        sessions.map(async ({ id, lease }) => {
          for (let head = 0; head < 60;) head = await store.append(id, head, someEntries(2, head + 1), lease);
        }),
      );
      killing.done = true;
      await killer;
      for (const { id } of sessions) await assertJournal(store, id, someEntries(60));
      for (const client of clients) client.disconnect();
      await store.close();
    },
  );
});
