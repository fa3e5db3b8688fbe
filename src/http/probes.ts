/** Whether this server can serve, asked of it again and again by others: looked at once for all who ask at a time. */
import { RecentMap } from "../base/recent-map.ts";
import type { Config } from "../config/config.ts";
import { health, type Health } from "../health/health.ts";
import type { Store } from "../store/contract.ts";

interface ProbesParts {
  /** Without a guard. */
  readonly store: Store;
  /** The store's URL. */
  readonly url: string;
  readonly config: Omit<Config, "store">;
  readonly cacheFolder: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** So old may be what is told: a look writes to the store and takes back what it wrote. */
const freshMs = 2000;
/** So old may be how much a store holds: some count for it. */
const countedFreshMs = 15_000;
/** For so many tokens. */
const mostCounted = 100;

interface StoredFigures {
  readonly storedEntries?: number;
  readonly storeSize?: number;
}

export class Probes {
  readonly #parts: ProbesParts;
  #looking: Promise<Health> | undefined;
  #lookedAtMs = -Infinity;
  #counting: Promise<StoredFigures> | undefined;
  #countedAtMs = -Infinity;
  readonly #sessions = new RecentMap<string, { readonly atMs: number; readonly counted: Promise<number> }>(
    mostCounted,
  );

  constructor(parts: ProbesParts) {
    this.#parts = parts;
  }

  /** How many sessions somebody sees, counted again after a while. @param who asks, by the token's id */
  sessions(who: string, count: () => Promise<number>): Promise<number> {
    const known = this.#sessions.get(who);
    if (known !== undefined && performance.now() - known.atMs <= countedFreshMs) return known.counted;
    const counted = count();
    this.#sessions.set(who, { atMs: performance.now(), counted });
    // Who asks next tries again.
    counted.catch(() => this.#sessions.delete(who));
    return counted;
  }

  /** What the whole store holds, as figures; nothing where it cannot say. */
  stored(): Promise<StoredFigures> {
    if (this.#counting === undefined || performance.now() - this.#countedAtMs > countedFreshMs) {
      this.#countedAtMs = performance.now();
      this.#counting = this.#parts.store.stats().then(
        ({ entries, bytes }) => ({ storedEntries: entries, storeSize: bytes }),
        () => ({}),
      );
    }
    return this.#counting;
  }

  /** Never rejects. */
  ready(): Promise<Health> {
    const { store, url, config, cacheFolder, env } = this.#parts;
    if (this.#looking === undefined || performance.now() - this.#lookedAtMs > freshMs) {
      this.#lookedAtMs = performance.now();
      this.#looking = health(store, { ...config, store: url }, { cacheFolder, env });
    }
    return this.#looking;
  }
}
