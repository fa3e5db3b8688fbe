/** Addresses that were asked for before: where each leads and what it says, which depends on nothing but its text. */
import { RecentMap } from "../base/recent-map.ts";
import type { Call, Route } from "./route.ts";

const mostKnown = 2000;
/** Longer ones are seldom asked for twice. */
const mostChars = 500;

/** What an address says, checked. */
export type Said = Pick<Call, "id" | "params" | "query">;

export interface Address {
  readonly route: Route;
  readonly said: Said;
}

/** Of `GET` alone. Bounded by their number and the length of each. */
export class Addresses {
  readonly #known = new RecentMap<string, Address>(mostKnown);

  /** Undefined unless it has been kept. */
  known({ method, url }: Pick<Request, "method" | "url">): Address | undefined {
    return method === "GET" ? this.#known.get(url) : undefined;
  }

  keep({ method, url }: Pick<Request, "method" | "url">, address: Address): void {
    if (method === "GET" && url.length <= mostChars) this.#known.set(url, address);
  }
}
