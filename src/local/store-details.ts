import type { Subject } from "./serving.ts";

/** Asked for what its caches count. */
export interface DetailedStore {
  readonly name: string;
  stats(): Promise<{ readonly details?: Readonly<Record<string, number | string>> }>;
}

/** What a store in front of others tells of itself with the figures; to ask any other would have it count its entries. */
export function storeDetailsOf(store: DetailedStore): Pick<Subject, "storeDetails"> {
  if (store.name !== "layered" && store.name !== "cache") return {};
  return { storeDetails: async () => (await store.stats()).details ?? {} };
}
