/** The part of `ioredis` that this store uses, and how it is loaded. */
import type { ClusterNode, ClusterOptions, RedisOptions } from "ioredis";
import { loadPeer } from "../server/peer.ts";

/** A single connection, or a cluster's connections behind the same calls. */
export interface RedisClient {
  /** Arguments in one array, which has no limit of length as a call's arguments have. */
  call(command: string, args: readonly (string | number)[]): Promise<unknown>;
  pipeline(commands: readonly (readonly (string | number)[])[]): RedisPipeline;
  connect(): Promise<void>;
  disconnect(): void;
  on(event: "error" | "node error", listener: (error: Error) => void): unknown;
}

interface RedisPipeline {
  exec(): Promise<readonly (readonly [Error | null, unknown])[] | null>;
}

export interface RedisDriver {
  readonly Redis: new (options: RedisOptions) => RedisClient;
  readonly Cluster: new (seeds: ClusterNode[], options: ClusterOptions) => RedisClient;
}

export async function loadIoredis(
  load: () => Promise<unknown> = () => import("ioredis"),
): Promise<RedisDriver> {
  const module = (await loadPeer("ioredis", load)) as Partial<RedisDriver> & {
    readonly default?: RedisDriver;
  };
  restoreFastStrings();
  // Node may show the exports of a CommonJS package as one default only.
  return module.Cluster === undefined && module.default !== undefined
    ? module.default
    : (module as RedisDriver);
}

/**
 * ioredis 6 declares a class that extends String. After that V8 takes the slow way to every method of every string,
 * and reading 10,000 entries takes half as long again. Reading a method through an object that inherits from
 * String.prototype, a few times from the same place, makes V8 lay the prototype out for speed again.
 */
function restoreFastStrings(): void {
  const heir = Object.create(String.prototype) as Pick<string, "slice">;
  const read = () => heir.slice;
  for (let times = 0; times < 100; times += 1) read();
}
