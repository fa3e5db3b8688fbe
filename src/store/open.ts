/** Store URL → store. A driver is loaded only when a URL names it. */
import { SidecarError } from "../base/errors.ts";
import { holdsToken } from "../base/token-form.ts";
import { layersIn, ofLayer, pathIn, splitStoreUrl, type StoreUrl } from "../base/store-url.ts";
import type { CacheStoreOptions } from "./memory/cache.ts";
import { given } from "./arguments.ts";
import type { Store } from "./contract.ts";

interface Driver {
  /** How its URLs look, for people. */
  readonly form: string;
  readonly open: (url: StoreUrl) => Promise<Store>;
}

/** By scheme. Every driver is behind a dynamic import, so that a start pays only for the one it uses. */
const drivers: Readonly<Record<string, Driver>> = {
  memory: {
    form: "memory:",
    open: async (url) => {
      const { openMemoryStore } = await import("./memory/memory.ts");
      const capacity = capacityIn(url);
      return openMemoryStore(capacity === undefined ? {} : { capacity });
    },
  },
  cache: {
    form: "cache:",
    open: async (url) => {
      const { openCacheStore } = await import("./memory/cache.ts");
      return openCacheStore(cacheOptionsIn(url));
    },
  },
  file: {
    form: "file:DIR",
    open: async (url) => {
      const { openFileStore } = await import("./file/store.ts");
      return openFileStore({ directory: pathIn(url, "file:DIR") });
    },
  },
  layered: {
    form: 'layered:["URL","URL"]',
    open: (url) => openLayers(layersIn(url)),
  },
  sqlite: {
    form: "sqlite:PATH",
    open: async (url) => {
      const { openSqliteStore } = await import("./sql/sqlite/store.ts");
      return openSqliteStore({ path: pathIn(url, "sqlite:PATH") });
    },
  },
  postgres: { form: "postgres://HOST/DATABASE", open: openPostgres },
  postgresql: { form: "postgresql://HOST/DATABASE", open: openPostgres },
  module: {
    form: "module:PATH",
    open: async (url) => {
      const { openModuleStore } = await import("./module-store.ts");
      return openModuleStore(url);
    },
  },
  redis: { form: "redis://HOST", open: openRedis },
  rediss: { form: "rediss://HOST", open: openRedis },
};

async function openPostgres({ rest }: StoreUrl): Promise<Store> {
  const { openPostgresStore } = await import("./sql/postgres/store.ts");
  return openPostgresStore({ url: `postgres:${rest}` });
}

async function openRedis({ scheme, rest }: StoreUrl): Promise<Store> {
  const { openRedisStore } = await import("./redis/store.ts");
  return openRedisStore({ url: `${scheme}:${rest}` });
}

/**
 * Opens the store that `url` names. Errors: `INVALID_PARAMS` for what is no text; `CONFIG_INVALID` for an unknown scheme or an unusable URL; what
 * the driver's opening fails with (`STORE_…`). Messages never repeat the URL: it may hold a password.
 */
export async function openStore(url: string): Promise<Store> {
  if (holdsToken(url)) throw tokenInUrl();
  const { driver, parts } = driverOf(given.url(url));
  return driver.open(parts);
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
  const { driver, parts } = driverOf(url);
  if (driver !== drivers["layered"]) return;
  for (const [at, layer] of layersIn(parts).entries()) {
    try {
      checkStoreUrl(layer);
    } catch (error) {
      throw ofLayer(at, error);
    }
  }
}

/** Errors: `CONFIG_INVALID`. */
export function driverOf(url: string): { readonly driver: Driver; readonly parts: StoreUrl } {
  const parts = splitStoreUrl(url);
  const driver = parts && Object.hasOwn(drivers, parts.scheme) ? drivers[parts.scheme] : undefined;
  if (parts === undefined || driver === undefined) throw unknownScheme(parts?.scheme);
  return { driver, parts };
}

const cacheOptions: readonly string[] = [
  "ttlMs",
  "maxBytes",
  "maxSessions",
] satisfies (keyof CacheStoreOptions)[];

/** `cache:` and `cache:?ttlMs=60000&maxBytes=1000000&maxSessions=100`, in any order. */
function cacheOptionsIn({ place, options }: StoreUrl): CacheStoreOptions {
  const given = [...options];
  const isOption = ([key, value]: readonly [string, string]) =>
    cacheOptions.includes(key) && isCount(value, key === "ttlMs" ? 0 : 1);
  const wrong = given.find((each) => !isOption(each));
  if (place === "" && wrong === undefined) {
    return Object.fromEntries(given.map(([key, value]) => [key, Number(value)]));
  }
  throw new SidecarError(
    "CONFIG_INVALID",
    `A cache's URL is cache: or cache:?ttlMs=MS&maxBytes=BYTES&maxSessions=SESSIONS with whole numbers`,
    { data: { key: wrong?.[0] ?? place } },
  );
}

function capacityIn({ rest, place, options }: StoreUrl): number | undefined {
  if (rest === "") return undefined;
  const capacity = options.get("capacity") ?? "";
  if (place === "" && options.size === 1 && isCount(capacity, 1)) return Number(capacity);
  throw new SidecarError("CONFIG_INVALID", "A memory store's URL is memory: or memory:?capacity=SESSIONS");
}

function isCount(text: string, least: number): boolean {
  return /^[0-9]{1,15}$/.test(text) && Number(text) >= least;
}

function tokenInUrl(): SidecarError {
  return new SidecarError(
    "CONFIG_INVALID",
    "A token does not belong into a store's URL, which others can see; name where it is with --token",
  );
}

function unknownScheme(scheme: string | undefined): SidecarError {
  const allowed = Object.values(drivers).map(({ form }) => form);
  const wrong = scheme === undefined ? "A store URL starts with a scheme" : `There is no store "${scheme}:"`;
  return new SidecarError("CONFIG_INVALID", `${wrong}; use one of ${allowed.join(", ")}`, {
    data: { scheme: scheme ?? null, allowed },
  });
}
