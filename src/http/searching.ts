/** A guest's way to the index of search: opened when they first search, closed with them. */
import { Searcher } from "../history/search/search.ts";
import type { Guest } from "./guest.ts";
import type { House } from "./house.ts";

export function cachedSearch(guest: Guest, { cacheFolder }: Pick<House, "cacheFolder">): Promise<Searcher> {
  return guest.own("search", async () => new Searcher(guest.registry, { cacheFolder }));
}
