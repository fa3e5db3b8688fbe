/** Connecting: to one server, or to the cluster that it turns out to be part of. */
import type { RedisOptions } from "ioredis";
import { Connection, type ConnectionLimits, type OpenClient } from "./connection.ts";
import type { RedisClient, RedisDriver } from "./driver.ts";
import { redisFailure } from "./failures.ts";
import type { RedisLocation } from "./location.ts";

/** Errors: `STORE_UNAVAILABLE`. */
export async function connectServer(
  driver: RedisDriver,
  location: RedisLocation,
  limits: ConnectionLimits,
): Promise<Connection> {
  const { host, port, db, tls } = location;
  const redisOptions = connectionOptions(location, limits);
  const asked = { enableOfflineQueue: false, lazyConnect: true };
  const single = await opened(
    location,
    (retryStrategy) => new driver.Redis({ ...redisOptions, ...asked, host, port, db, retryStrategy }),
  );
  if (!(await isClustered(single, location))) return new Connection(single, false, location, limits);
  single.client.disconnect();
  const cluster = await opened(
    location,
    (clusterRetryStrategy) =>
      new driver.Cluster([{ host, port }], {
        ...asked,
        redisOptions,
        retryDelayOnFailover: 0,
        slotsRefreshTimeout: limits.connectTimeoutMs,
        clusterRetryStrategy,
        // Certificates are for names: they must reach TLS as the cluster told them.
        ...(tls && { dnsLookup: (name, callback) => callback(null, name) }),
      }),
  );
  return new Connection(cluster, true, location, limits);
}

/** Until it has been open once, a connection that fails is not tried again by itself. */
async function opened(
  location: RedisLocation,
  make: (retryStrategy: (times: number) => number | null) => RedisClient,
): Promise<OpenClient> {
  let established = false;
  const trouble: OpenClient["trouble"] = { last: undefined };
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
  return { client, trouble };
}

async function isClustered({ client }: OpenClient, { place }: RedisLocation): Promise<boolean> {
  try {
    return /^cluster_enabled:1/m.test(String(await client.call("info", ["cluster"])));
  } catch (error) {
    client.disconnect();
    throw redisFailure(error, place);
  }
}

function connectionOptions(location: RedisLocation, limits: ConnectionLimits): RedisOptions {
  const { username, password, tls } = location;
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectTimeout: limits.connectTimeoutMs,
    socketTimeout: limits.silenceTimeoutMs,
    connectionName: "acp-sidecar",
    // Second tries are ours, who know what may be tried twice.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
}
