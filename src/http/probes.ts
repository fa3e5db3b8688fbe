/** Whether this server can serve, asked of it again and again by others: looked at once for all who ask at a time. */
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

export class Probes {
  readonly #parts: ProbesParts;
  #looking: Promise<Health> | undefined;
  #lookedAtMs = -Infinity;

  constructor(parts: ProbesParts) {
    this.#parts = parts;
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
