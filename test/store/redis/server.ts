/** Redis servers of a test's own, as processes: with a log on disk, or as a cluster. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** As a crash would: at once. */
  readonly kill: () => Promise<void>;
  /** With the same settings and files. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The program that is run: another one, such as valkey-server, can be named by the environment. */
export const redisProgram = process.env["TEST_REDIS_SERVER"] ?? "redis-server";

export async function startRedis(...settings: string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "acp-sidecar-redis-"));
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory, "--save", "", ...settings];
  let child: ChildProcess | undefined;
  const restart = async () => {
    child = spawn(redisProgram, args, { stdio: "ignore" });
    await untilAnswers(port);
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  const stop = async () => {
    await kill();
    await rm(directory, { recursive: true, force: true });
  };
  await restart();
  return { port, url: `redis://127.0.0.1:${port}`, kill, restart, stop };
}

/** Three masters that share the slots. */
export async function startRedisCluster(...settings: string[]): Promise<readonly RedisServer[]> {
  const servers: RedisServer[] = [];
  for (let i = 0; i < 3; i += 1) servers.push(await startRedis("--cluster-enabled", "yes", ...settings));
  const clients = servers.map(({ port }) => new Redis(port, "127.0.0.1"));
  const [first] = servers;
  for (const [at, client] of clients.entries()) {
    const from = Math.ceil((at * 16384) / 3);
    const through = Math.ceil(((at + 1) * 16384) / 3) - 1;
    await client.call("cluster", "addslotsrange", `${from}`, `${through}`);
    await client.call("cluster", "set-config-epoch", `${at + 1}`);
    if (at > 0) await client.call("cluster", "meet", "127.0.0.1", `${first?.port}`);
  }
  for (const client of clients) {
    while (!String(await client.call("cluster", "info")).includes("cluster_state:ok")) await delay(20);
    while (String(await client.call("cluster", "nodes")).split("master").length < 4) await delay(20);
    client.disconnect();
  }
  return servers;
}

async function untilAnswers(port: number): Promise<void> {
  const client = new Redis(port, "127.0.0.1", { retryStrategy: () => 20, maxRetriesPerRequest: null });
  // Refused until it listens: that is what is waited for.
  client.on("error", () => {});
  await client.ping();
  client.disconnect();
}

/** So low that the port of a cluster's bus, 10,000 above, is none that the system gives to clients (from 32,768 on). */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve) =>
      server
        .listen(20_000 + Math.floor(Math.random() * 2500), "127.0.0.1", resolve)
        .once("error", () => resolve()),
    );
    if (!server.listening) continue;
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
