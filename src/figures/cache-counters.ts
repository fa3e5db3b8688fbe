/** What caches count, out of what a store says of itself. */
import type { Found } from "./figures.ts";

const names = { hits: "cacheHits", misses: "cacheMisses", evictions: "cacheEvictions" } as const;

/** @param details of `stats()`: a cache's own, or with the layer before each name: `1.cache.hits` */
export function cacheCounters(details: Readonly<Record<string, number | string>>): Found["counters"] {
  const counters: Partial<Record<(typeof names)[keyof typeof names], number>> = {};
  for (const [key, value] of Object.entries(details)) {
    const last = key.slice(key.lastIndexOf(".") + 1);
    if (typeof value !== "number" || !Object.hasOwn(names, last)) continue;
    const name = names[last as keyof typeof names];
    counters[name] = (counters[name] ?? 0) + value;
  }
  return counters;
}
