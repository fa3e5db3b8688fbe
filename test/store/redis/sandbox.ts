/** Keys of a test file's own in a Redis server or cluster, gone with the file. */
import { Cluster, Redis } from "ioredis";

export interface RedisSandbox {
  /** Opens the store under the prefix of this test file. */
  readonly url: string;
  readonly prefix: string;
  readonly keys: () => Promise<readonly string[]>;
  readonly empty: () => Promise<void>;
  readonly close: () => Promise<void>;
}

let prefixes = 0;

export function redisSandbox(
  serverUrl: string,
  client: Redis | Cluster = new Redis(serverUrl),
): RedisSandbox {
  prefixes += 1;
  const prefix = `test-${process.pid}-${Date.now()}-${prefixes}:`;
  const url = new URL(serverUrl);
  url.searchParams.set("prefix", prefix);
  const nodes = () => (client instanceof Redis ? [client] : client.nodes("master"));
  const keysOf = (node: Redis) => node.keys(`${prefix}*`);
  const keys = async () => (await Promise.all(nodes().map(keysOf))).flat();
  const empty = async () => {
    for (const node of nodes()) for (const key of await keysOf(node)) await node.unlink(key);
  };
  const close = async () => {
    await empty();
    client.disconnect();
  };
  return { url: url.toString(), prefix, keys, empty, close };
}

/** The library, for `loadDriver`, as clients that can be watched. */
export function watchedIoredis() {
  /** Names of the commands sent. */
  const sent: string[] = [];
  /** What is done before the next command of a name goes out, once. */
  const before = new Map<string, () => Promise<unknown>>();
  class WatchedRedis extends Redis {
    override async call(command: string, ...args: unknown[]): Promise<unknown> {
      sent.push(command);
      const act = before.get(command);
      before.delete(command);
      await act?.();
      return (super.call as (...all: unknown[]) => Promise<unknown>)(command, ...args);
    }
  }
  return { sent, before, loadDriver: async () => ({ Redis: WatchedRedis, Cluster }) };
}
