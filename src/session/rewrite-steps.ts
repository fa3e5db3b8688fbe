/**
 * Final entries that are rewritten in steps: a step is done whole or not at all. Most sessions are one step; where more
 * text is to be written than memory should hold, a step ends at some entry, and what comes behind is the next one.
 */
import type { SessionId } from "../base/ids.ts";
import type { Entry, NewEntry, Store } from "../store/contract.ts";
import type { Journal } from "./journal.ts";

const stepChars = 64 << 20;

export class RewriteSteps {
  readonly #store: Pick<Store, "rewrite">;
  readonly #id: SessionId;
  readonly #journal: Pick<Journal, "lease" | "renew">;
  readonly #before: () => Promise<void>;
  #from = 0;
  #entries: NewEntry[] = [];
  #chars = 0;
  /** How many up to the last that is changed: what stands behind it stays as it is. */
  #length = 0;

  /** @param before done before each step */
  constructor(
    store: Pick<Store, "rewrite">,
    journal: Pick<Journal, "id" | "lease" | "renew">,
    before: () => Promise<void> = async () => undefined,
  ) {
    [this.#store, this.#id, this.#journal, this.#before] = [store, journal.id, journal, before];
  }

  /** Every entry from the first that is changed on, in order. @param changed what it becomes; undefined if it stays */
  async add({ seq, kind, atMs, data }: Entry, changed: NewEntry | undefined): Promise<void> {
    if (this.#entries.length === 0) {
      if (changed === undefined) return;
      this.#from = seq;
    }
    this.#entries.push(changed ?? { kind, atMs, data });
    this.#chars += (changed?.data ?? data).length;
    if (changed !== undefined) this.#length = this.#entries.length;
    if (this.#chars >= stepChars) await this.write();
  }

  async write(): Promise<void> {
    const entries = this.#entries.slice(0, this.#length);
    [this.#entries, this.#chars, this.#length] = [[], 0, 0];
    if (entries.length === 0) return;
    await this.#before();
    await this.#journal.renew();
    await this.#store.rewrite(this.#id, this.#from, entries, this.#journal.lease);
  }
}
