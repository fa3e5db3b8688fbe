/** Answers that are ready: pages of sessions that have not changed since, for whoever asks for them again. */
import { RecentMap } from "../base/recent-map.ts";

const [mostPages, mostChars] = [512, 64 << 10];

/** Bounded by the number of pages and the size of each. */
export class Pages {
  readonly #kept = new RecentMap<string, { readonly version: string; readonly text: string }>(mostPages);

  /** @param version differs when anything may have changed that the page tells */
  async of(key: string, version: string, make: () => Promise<string>): Promise<string> {
    const kept = this.#kept.get(key);
    if (kept?.version === version) return kept.text;
    const text = await make();
    if (text.length <= mostChars) this.#kept.set(key, { version, text });
    return text;
  }
}
