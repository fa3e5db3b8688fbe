/** Answers that are ready: pages of sessions that have not changed since, for whoever asks for them again. */
import { RecentMap } from "../base/recent-map.ts";
import { tagOf } from "./answer.ts";

const [mostPages, mostChars] = [512, 64 << 10];

export interface Rendered {
  readonly text: string;
  readonly tag: string;
}

interface Kept extends Rendered {
  readonly version: string;
}

/** Bounded by the number of pages and the size of each. */
export class Pages {
  readonly #kept = new RecentMap<string, Kept>(mostPages);

  /** @param version differs when anything may have changed that the page tells */
  async of(key: string, version: string, make: () => Promise<string>): Promise<Rendered> {
    const kept = this.#kept.get(key);
    if (kept?.version === version) return kept;
    const text = await make();
    const rendered = { version, text, tag: tagOf(text) };
    if (text.length <= mostChars) this.#kept.set(key, rendered);
    return rendered;
  }
}
