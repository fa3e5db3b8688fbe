/** Faults that come and go: a full disk, a disk that fails, a lock that is held, a server that goes away. */
import { mkdirSync } from "node:fs";
import { type Database } from "../../../src/sqlite/engine.ts";
import { loadEngine } from "../../../src/sqlite/engines.ts";
import { tcpProxy } from "../../store/tcp-proxy.ts";
import { addressOf, throughPort } from "../../store/servers.ts";
import { notRun, strikeOften, type Fault } from "../faults/rig.ts";
import { FaultPage, type CallKind } from "../shim/faults.ts";
import { buildShim, shimEnvironment } from "../shim/shim.ts";
import type { Random } from "../world/random.ts";
import type { Figures, Harness, TortureOptions } from "../world/report.ts";
import type { World } from "../world/world.ts";

const sizes = { glimpse: { kills: 1 }, middle: { kills: 30 }, long: { kills: 300 } };

export const diskFull: Harness = {
  name: "disk-full",
  about: "the disk takes nothing more for a while, --kills times",
  sizes,
  run: (options) =>
    failCalls(options, ["STORE_FULL"], () => ({ error: "ENOSPC", calls: ["write", "create"] })),
};

export const ioError: Harness = {
  name: "io-error",
  about: "the disk fails to write, sync or read for a while, --kills times",
  sizes,
  run: (options) =>
    // SQLite takes a disk that cannot be read for a damaged one.
    failCalls(options, ["STORE_FAILED", "STORE_CORRUPT"], (random) => ({
      error: "EIO",
      calls: random.pick<readonly CallKind[]>([
        ["write"],
        ["sync"],
        ["read"],
        ["write", "sync", "read", "create"],
      ]),
    })),
};

interface Failing {
  readonly error: "ENOSPC" | "EIO";
  readonly calls: readonly CallKind[];
}

async function failCalls(
  options: TortureOptions,
  codes: readonly string[],
  choose: (random: Random) => Failing,
): Promise<Figures> {
  const shim = await buildShim();
  if (shim.path === undefined) return notRun(options, shim.why);
  if (!/^(sqlite|file):?$/.test(options.store)) return notRun(options, "its disk is another machine's");
  return strikeOften(options, async (world) => {
    const directory = world.path("disk");
    mkdirSync(directory);
    const page = new FaultPage(world.path("faults"));
    return {
      store: options.store.startsWith("file") ? `file:${directory}/store` : `sqlite:${directory}/sessions.db`,
      env: shimEnvironment(shim.path, { directory, faults: page.path }),
      begin: (random) => {
        const { error, calls } = choose(random);
        page.set(error, ...calls);
        return `${error} upon ${calls.join(", ")}`;
      },
      end: () => page.clear(),
      lastsMs: [20, 500],
      codes,
      close: () => page.close(),
    };
  });
}

export const lockHeld: Harness = {
  name: "lock-held",
  about: "another process holds the lock of the SQLite database, at times longer than we wait, --kills times",
  sizes,
  run: holdLock,
};

async function holdLock(options: TortureOptions): Promise<Figures> {
  if (!options.store.startsWith("sqlite")) return notRun(options, "only sqlite has a lock that can be held");
  const engine = await loadEngine();
  return strikeOften(options, async (world) => {
    const store = world.storeUrl(options.store);
    let other: Database | undefined;
    return {
      store,
      begin: () => {
        other = engine.open(store.slice("sqlite:".length), 5000);
        other.exec("BEGIN IMMEDIATE");
        return "another process holds the lock";
      },
      end: () => {
        other?.exec("ROLLBACK");
        other?.close();
      },
      // Longer than the store waits, where there is time for it.
      lastsMs: options.kills > 10 ? [100, 7000] : [100, 600],
      codes: ["STORE_LOCKED"],
      close: () => undefined,
    };
  });
}

export const serverGone: Harness = {
  name: "server-gone-and-back",
  about: "the way to PostgreSQL or Redis is cut, refused or silent for a while, --kills times",
  sizes,
  run: loseServer,
};

const servers = { postgres: 5432, redis: 6379 };

async function loseServer(options: TortureOptions): Promise<Figures> {
  const named = /^(postgres|redis)/.test(options.store) ? options.store : undefined;
  const url = named ?? process.env["TEST_POSTGRES_URL"] ?? process.env["TEST_REDIS_URL"];
  if (url === undefined) return notRun(options, "no server is named: --store URL, or TEST_POSTGRES_URL");
  return strikeOften(options, (world) => cutOffServer(world, url));
}

async function cutOffServer(world: World, url: string): Promise<Fault> {
  const defaultPort = url.startsWith("redis") ? servers.redis : servers.postgres;
  const proxy = await tcpProxy(addressOf(url, defaultPort));
  const ways = {
    "refuses connections": { begin: () => proxy.cut(), end: () => proxy.restore() },
    "breaks connections": { begin: () => proxy.breakAfter(1), end: () => undefined },
    // What it said meanwhile is lost, so those connections are, too.
    "is silent": {
      begin: () => proxy.mute(true),
      end: async () => {
        await proxy.cut();
        proxy.mute(false);
        await proxy.restore();
      },
    },
  };
  let end: () => Promise<void> | void = () => undefined;
  return {
    store: throughPort(world.storeUrl(url), proxy.port),
    begin: async (random) => {
      const [name, way] = random.pick(Object.entries(ways));
      await way.begin();
      end = way.end;
      return `the server ${name}`;
    },
    end: () => end(),
    lastsMs: [20, 1500],
    codes: ["STORE_UNAVAILABLE", "STORE_FAILED"],
    close: () => proxy.close(),
  };
}
