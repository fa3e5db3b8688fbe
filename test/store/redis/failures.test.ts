import { afterAll, describe, expect, it } from "vitest";
import { Redis } from "ioredis";
import { openRedisStore, type RedisStoreOptions } from "../../../src/store/redis/store.ts";
import { aSession, leaseOf, rejectsWith, someEntries } from "../../conformance/samples.ts";
import { redisSandbox } from "./sandbox.ts";
import { password, refusalOf } from "../refusals.ts";
import { goesAway, onServerOf } from "../server-away.ts";
import { addressOf, describeServer } from "../servers.ts";
import { tcpProxy } from "../tcp-proxy.ts";

type Limits = Omit<RedisStoreOptions, "url">;

describe("opening a Redis store", () => {
  it("says what to install when ioredis is missing", async () => {
    const name: string = "no-such-package-as-ioredis";
    const opening = openRedisStore({ url: "redis://localhost", loadDriver: () => import(name) });
    const { code, message } = await refusalOf(opening);
    expect([code, message]).toEqual(["STORE_UNAVAILABLE", expect.stringContaining("npm install ioredis")]);
  });

  it("says that nobody listens, at once", async () => {
    const proxy = await tcpProxy({ host: "127.0.0.1", port: 1 });
    await proxy.close();
    const url = `redis://ada:${password}@127.0.0.1:${proxy.port}/0`;
    const { code, message } = await refusalOf(openRedisStore({ url }));
    expect(code).toBe("STORE_UNAVAILABLE");
    expect(message).toContain(`127.0.0.1:${proxy.port} cannot be reached (ECONNREFUSED)`);
  });

  it("refuses URLs that it cannot use, without repeating them", async () => {
    for (const rest of ["[/x", "h/x", "h?prefix={a}", "h?ttlMs=-1", "h?ttlMs=soon"]) {
      expect((await refusalOf(openRedisStore({ url: `redis://ada:${password}@${rest}` }))).code).toBe(
        "CONFIG_INVALID",
      );
    }
  });
});

describeServer("TEST_REDIS_URL", 6379, (url) => {
  const sandbox = redisSandbox(url);
  const client = new Redis(url);
  const key = (rest: string) => `${sandbox.prefix}${rest}`;
  const server = { name: "Redis", address: addressOf(url, 6379), sandbox, open: openRedisStore };
  const rig = onServerOf<Limits>(server);
  const opened = (storeUrl: string) => rig.opened(storeUrl, {});
  afterAll(() => client.disconnect());

  describe("a Redis server that refuses", () => {
    it("a wrong password is told apart from a server that is away", async () => {
      const user = `ada-${process.pid}`;
      await client.call("acl", "setuser", user, "on", ">right", "~*", "+@all");
      try {
        const wrong = new URL(sandbox.url);
        [wrong.username, wrong.password] = [user, password];
        const { code, message } = await refusalOf(openRedisStore({ url: wrong.toString() }));
        expect([code, message]).toEqual(["STORE_UNAVAILABLE", expect.stringContaining("user or password")]);
        wrong.password = "right";
        await (await opened(wrong.toString())).flush();
      } finally {
        await client.call("acl", "deluser", user);
      }
    });

    it("keys of a newer version are left alone", async () => {
      await client.set(key("{list}:schema"), "99");
      const { code, message } = await refusalOf(openRedisStore({ url: sandbox.url }));
      expect([code, message]).toEqual(["STORE_SCHEMA_NEWER", expect.stringContaining("99")]);
    });

    it("somebody else's keys are called that, and nothing of what was to be written is told", async () => {
      const store = await opened(sandbox.url);
      const { id } = aSession();
      await client.set(key(`{${id}}:record`), "a string");
      const failing = store.create(aSession({ id, title: password }));
      await rejectsWith("STORE_CORRUPT", failing);
      await refusalOf(failing as Promise<never>);
    });

    it("scripts that the server has forgotten are sent again", async () => {
      const store = await opened(sandbox.url);
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, someEntries(1), lease);
      await client.script("FLUSH");
      expect(await store.append(id, 1, someEntries(1, 2), lease)).toBe(2);
    });
  });

  goesAway({
    server,
    rig,
    limits: ({ retryForMs, answerMs }) => ({
      retryForMs,
      ...(answerMs !== undefined && { silenceTimeoutMs: answerMs, connectTimeoutMs: answerMs }),
    }),
    breaks: { append: 30, acquire: 120, create: 90 },
    leftOver: async () => {
      const keys = await client.keys(key("*"));
      return keys.filter((each) => each !== key("{list}:schema"));
    },
  });
});
