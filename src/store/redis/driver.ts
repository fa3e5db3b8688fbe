/** The part of `ioredis` that this store uses, and how it is loaded. */
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

export interface RedisPipeline {
  exec(): Promise<readonly (readonly [Error | null, unknown])[] | null>;
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** What holds for every connection. */
export interface ConnectionOptions {
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: object;
  readonly connectTimeout: number;
  readonly socketTimeout: number;
  readonly connectionName: string;
  /** The three of them leave second tries to us, who know what may be tried twice. */
  readonly maxRetriesPerRequest: 0;
  readonly autoResendUnfulfilledCommands: false;
}

export interface RedisOptions extends ConnectionOptions, RedisNode {
  readonly enableOfflineQueue: false;
  readonly lazyConnect: true;
  readonly retryStrategy: (times: number) => number | null;
}

export interface ClusterOptions {
  readonly redisOptions: ConnectionOptions;
  readonly enableOfflineQueue: false;
  readonly lazyConnect: true;
  readonly retryDelayOnFailover: 0;
  readonly slotsRefreshTimeout: number;
  readonly clusterRetryStrategy: (times: number) => number | null;
  /** As the seed node was reached, so are the others: by TLS names rather than by address. */
  readonly dnsLookup?: (address: string, callback: (error: null, address: string) => void) => void;
}

export interface RedisDriver {
  readonly Redis: new (options: RedisOptions) => RedisClient;
  readonly Cluster: new (seeds: readonly RedisNode[], options: ClusterOptions) => RedisClient;
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
