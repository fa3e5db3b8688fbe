/** Entries that come by pages, one by one. */
import type { Entry } from "../../store/contract.ts";

export class EntryStream {
  readonly #pages: AsyncIterator<readonly Entry[]>;
  #page: readonly Entry[] = [];
  #at = 0;

  constructor(pages: AsyncIterable<readonly Entry[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  async next(): Promise<Entry | undefined> {
    while (this.#at >= this.#page.length) {
      const next = await this.#pages.next();
      if (next.done === true) return undefined;
      [this.#page, this.#at] = [next.value, 0];
    }
    return this.#page[this.#at++];
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }
}
