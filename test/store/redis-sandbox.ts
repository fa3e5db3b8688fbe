/** Keys of a test file's own in a Redis server or cluster, gone with the file. */
import { Redis, type Cluster } from "ioredis";

export interface RedisSandbox {
  /** Opens the store under the prefix of this test file. */
  readonly url: string;
  readonly prefix: string;
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
  const empty = async () => {
    const nodes = client instanceof Redis ? [client] : client.nodes("master");
    for (const node of nodes) {
      const keys = await node.keys(`${prefix}*`);
      for (const key of keys) await node.unlink(key);
    }
  };
  const close = async () => {
    await empty();
    client.disconnect();
  };
  return { url: url.toString(), prefix, empty, close };
}
