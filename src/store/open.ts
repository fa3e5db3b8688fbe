/** Store URL → store. A driver is loaded only when a URL names it. */
import { SidecarError } from "../base/errors.ts";
import type { CacheStoreOptions } from "./memory/cache.ts";
import { ofLayer, urlsIn } from "./layer-urls.ts";
import { given } from "./arguments.ts";
import type { Store } from "./contract.ts";

interface Driver {
  /** How its URLs look, for people. */
  readonly form: string;
  /** `rest` is what follows the scheme and its colon. */
  readonly open: (rest: string) => Promise<Store>;
}

/** By scheme. Every driver is behind a dynamic import, so that a start pays only for the one it uses. */
const drivers: Readonly<Record<string, Driver>> = {
  memory: {
    form: "memory:",
    open: async (rest) => {
      const { openMemoryStore } = await import("./memory/memory.ts");
      const capacity = capacityIn(rest);
      return openMemoryStore(capacity === undefined ? {} : { capacity });
    },
  },
  cache: {
    form: "cache:",
    open: async (rest) => {
      const { openCacheStore } = await import("./memory/cache.ts");
      return openCacheStore(cacheOptionsIn(rest));
    },
  },
  file: {
    form: "file:DIR",
    open: async (rest) => {
      const { openFileStore } = await import("./file/store.ts");
      return openFileStore({ directory: pathIn(rest, "file:DIR") });
    },
  },
  layered: {
    form: 'layered:["URL","URL"]',
    open: (rest) => openLayers(urlsIn(rest)),
  },
  sqlite: {
    form: "sqlite:PATH",
    open: async (rest) => {
      const { openSqliteStore } = await import("./sql/sqlite/store.ts");
      return openSqliteStore({ path: pathIn(rest, "sqlite:PATH") });
    },
  },
  postgres: { form: "postgres://HOST/DATABASE", open: (rest) => openPostgres(`postgres:${rest}`) },
  postgresql: { form: "postgresql://HOST/DATABASE", open: (rest) => openPostgres(`postgres:${rest}`) },
  module: {
    form: "module:PATH",
    open: async (rest) => {
      const { openModuleStore } = await import("./module-store.ts");
      return openModuleStore(rest);
    },
  },
  redis: { form: "redis://HOST", open: (rest) => openRedis(`redis:${rest}`) },
  rediss: { form: "rediss://HOST", open: (rest) => openRedis(`rediss:${rest}`) },
};

async function openPostgres(url: string): Promise<Store> {
  const { openPostgresStore } = await import("./sql/postgres/store.ts");
  return openPostgresStore({ url });
}

async function openRedis(url: string): Promise<Store> {
  const { openRedisStore } = await import("./redis/store.ts");
  return openRedisStore({ url });
}

/**
 * Opens the store that `url` names. Errors: `CONFIG_INVALID` for an unknown scheme or an unusable URL; what
 * the driver's opening fails with (`STORE_…`). Messages never repeat the URL: it may hold a password.
 */
export async function openStore(url: string): Promise<Store> {
  const { driver, rest } = driverOf(url);
  return driver.open(rest);
}

export interface LayersOptions {
  /**
   * For how long the last layer's word on a record holds where other processes can write to it too; 0 unless
   * told: it is asked each time.
   */
  readonly freshForMs?: number;
  /** For how long a layer that failed is left alone; 1 second unless told. */
  readonly retryMs?: number;
}

/**
 * Puts stores before one another, the fastest first; the last one acknowledges every write. All of them are
 * the new store's from then on, also if this fails. Errors: `CONFIG_INVALID`, and as `openStore`; they name
 * the layer.
 */
export async function openLayers(
  layers: readonly (string | Store)[],
  options: LayersOptions = {},
): Promise<Store> {
  const opened = given.layers(layers).filter((layer) => typeof layer !== "string");
  try {
    const stores: Store[] = [];
    for (const [at, layer] of layers.entries()) {
      const store = typeof layer === "string" ? await openLayer(layer, at) : layer;
      if (store !== layer) opened.push(store);
      stores.push(store);
    }
    const { openLayeredStore } = await import("./layered/store.ts");
    return openLayeredStore({ layers: stores, ...options });
  } catch (error) {
    await Promise.allSettled(opened.map((store) => store.close()));
    throw error;
  }
}

async function openLayer(url: string, at: number): Promise<Store> {
  try {
    return await openStore(url);
  } catch (error) {
    throw ofLayer(at, error);
  }
}

/** Opens nothing. Errors: `CONFIG_INVALID` for an unknown scheme, of the store or of one of its layers. */
export function checkStoreUrl(url: string): void {
  const { driver, rest } = driverOf(url);
  if (driver !== drivers["layered"]) return;
  for (const [at, layer] of urlsIn(rest).entries()) {
    try {
      checkStoreUrl(layer);
    } catch (error) {
      throw ofLayer(at, error);
    }
  }
}

export function driverOf(url: string): {
  readonly name: string;
  readonly driver: Driver;
  readonly rest: string;
} {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? [];
  const name = scheme?.toLowerCase() ?? "";
  const driver = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  if (driver === undefined || rest === undefined) throw unknownScheme(scheme);
  return { name, driver, rest };
}

/** `sqlite:/abs/path`, `sqlite:rel/path` and `sqlite:///abs/path` all name a path. */
export function pathIn(rest: string, form: string): string {
  const path = rest.startsWith("///") ? rest.slice(2) : rest;
  if (path === "" || path.startsWith("//")) {
    throw new SidecarError("CONFIG_INVALID", `The store URL names no path on this machine; write ${form}`);
  }
  return path;
}

const cacheOptions: readonly string[] = [
  "ttlMs",
  "maxBytes",
  "maxSessions",
] satisfies (keyof CacheStoreOptions)[];

/** `cache:` and `cache:?ttlMs=60000&maxBytes=1000000&maxSessions=100`, in any order. */
function cacheOptionsIn(rest: string): CacheStoreOptions {
  const given = [...new URLSearchParams(rest.replace(/^\?/, ""))];
  for (const [key, value] of given) {
    const least = key === "ttlMs" ? 0 : 1;
    if (/^[0-9]{1,15}$/.test(value) && Number(value) >= least && cacheOptions.includes(key)) continue;
    throw new SidecarError(
      "CONFIG_INVALID",
      `A cache's URL is cache: or cache:?ttlMs=MS&maxBytes=BYTES&maxSessions=SESSIONS with whole numbers`,
      { data: { key } },
    );
  }
  return Object.fromEntries(given.map(([key, value]) => [key, Number(value)]));
}

function capacityIn(rest: string): number | undefined {
  if (rest === "") return undefined;
  const capacity = Number(/^\?capacity=([0-9]{1,9})$/.exec(rest)?.[1]);
  if (capacity > 0) return capacity;
  throw new SidecarError("CONFIG_INVALID", "A memory store's URL is memory: or memory:?capacity=SESSIONS");
}

function unknownScheme(scheme: string | undefined): SidecarError {
  const allowed = Object.values(drivers).map(({ form }) => form);
  const wrong = scheme === undefined ? "A store URL starts with a scheme" : `There is no store "${scheme}:"`;
  return new SidecarError("CONFIG_INVALID", `${wrong}; use one of ${allowed.join(", ")}`, {
    data: { scheme: scheme ?? null, allowed },
  });
}
