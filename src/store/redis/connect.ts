/** Connecting: to one server, or to the cluster that it turns out to be part of. */
import type { ConnectionOptions, RedisClient, RedisDriver } from "./driver.ts";
import { redisFailure } from "./failures.ts";
import type { RedisLocation } from "./location.ts";
import { Server, type Connection, type ServerLimits } from "./server.ts";

/** Errors: `STORE_UNAVAILABLE`. */
export async function connectServer(
  driver: RedisDriver,
  location: RedisLocation,
  limits: ServerLimits,
): Promise<Server> {
  const options = connectionOptions(location, limits);
  const single = await opened(location, (retryStrategy) =>
    singleClient(driver, location, options, retryStrategy),
  );
  if (!(await isClustered(single, location))) return new Server(single, location, limits);
  single.client.disconnect();
  const cluster = await opened(location, (retryStrategy) =>
    clusterClient(driver, location, options, retryStrategy),
  );
  return new Server({ ...cluster, clustered: true }, location, limits);
}

type RetryStrategy = (times: number) => number | null;

/** Until it has been open once, a connection that fails is not tried again by itself. */
async function opened(
  location: RedisLocation,
  make: (retryStrategy: RetryStrategy) => RedisClient,
): Promise<Connection> {
  let established = false;
  const trouble: { last: Error | undefined } = { last: undefined };
  const client = make((times) => (established ? Math.min(times * 20, 500) : null));
  const note = (error: Error) => void (trouble.last = error);
  client.on("error", note);
  client.on("node error", note);
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw redisFailure(error, location.place, trouble.last);
  }
  established = true;
  return { client, clustered: false, trouble };
}

async function isClustered({ client }: Connection, { place }: RedisLocation): Promise<boolean> {
  try {
    return /^cluster_enabled:1/m.test(String(await client.call("info", ["cluster"])));
  } catch (error) {
    client.disconnect();
    throw redisFailure(error, place);
  }
}

function singleClient(
  driver: RedisDriver,
  { host, port, db }: RedisLocation,
  options: ConnectionOptions,
  retryStrategy: RetryStrategy,
): RedisClient {
  const place = { host, port, db };
  return new driver.Redis({
    ...options,
    ...place,
    enableOfflineQueue: false,
    lazyConnect: true,
    retryStrategy,
  });
}

function clusterClient(
  driver: RedisDriver,
  { host, port, tls }: RedisLocation,
  options: ConnectionOptions,
  retryStrategy: RetryStrategy,
): RedisClient {
  return new driver.Cluster([{ host, port }], {
    redisOptions: options,
    enableOfflineQueue: false,
    lazyConnect: true,
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: options.connectTimeout,
    clusterRetryStrategy: retryStrategy,
    // Certificates are for names: they must reach TLS as the cluster told them.
    ...(tls && { dnsLookup: (name, callback) => callback(null, name) }),
  });
}

function connectionOptions(location: RedisLocation, limits: ServerLimits): ConnectionOptions {
  const { username, password, tls } = location;
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectTimeout: limits.connectTimeoutMs,
    socketTimeout: limits.silenceTimeoutMs,
    connectionName: "acp-sidecar",
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
}
