/** What has come since is written behind what was brought in before. */
import type { NewEntry, SessionRecord } from "../../store/contract.ts";
import type { Journal } from "../../session/journal.ts";
import type { Grown } from "./growth.ts";
import { marked, markIn, markOf, RunningHash, type ImportMark } from "./mark.ts";
import type { NativeBatch, NativeFacts, NativeSession } from "./native.ts";
import { Placing } from "./placing.ts";

export class Continuing {
  readonly #native: NativeSession;
  readonly #record: SessionRecord;
  readonly #journal: Journal;
  readonly #grown: Grown;
  readonly #tails: readonly number[];
  readonly #placing: Placing;

  constructor(native: NativeSession, record: SessionRecord, journal: Journal, grown: Grown) {
    this.#native = native;
    this.#record = record;
    this.#journal = journal;
    this.#grown = grown;
    const { tails, count } = markIn(record.metadata) as ImportMark;
    this.#tails = grown.hasExtraEnd ? [...tails, count] : tails;
    this.#placing = new Placing(this.#tails);
  }

  /** Returns how many entries were written. */
  async write(batches: AsyncIterable<NativeBatch>): Promise<number> {
    const hash = new RunningHash();
    let [tail, facts]: [readonly NewEntry[], NativeFacts | undefined] = [[], undefined];
    let left = this.#grown.skip;
    let written = 0;
    for await (const batch of batches) {
      hash.add(batch.entries);
      [tail, facts] = [batch.tail ?? [], batch.facts];
      const more = batch.entries.slice(left);
      left = Math.max(0, left - batch.entries.length);
      await this.#seal(more);
      written += more.length;
    }
    const last = this.#grown.hasTail ? [] : tail;
    await this.#seal(last);
    await this.#note(hash, facts?.title);
    return written + last.length;
  }

  async #seal(entries: readonly NewEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const before = this.#placing.rewinds.length;
    const placed = this.#placing.place(entries, this.#journal.headSeq);
    // The record first: one counts when its entry is there.
    if (this.#placing.rewinds.length > before) {
      const { settings, headSeq } = this.#record;
      // What a killed import has left unmade stands beyond the end.
      const made = (settings.rewinds ?? []).filter(({ at }) => at <= headSeq);
      const rewinds = [...made, ...this.#placing.rewinds];
      await this.#journal.update({ settings: { ...settings, rewinds } });
    }
    await this.#journal.seal(placed);
  }

  async #note(hash: RunningHash, title: string | undefined): Promise<void> {
    const mark = markOf(this.#native, hash, this.#journal, this.#tails);
    const metadata = marked(this.#record.metadata, mark);
    const isNamed = this.#record.title !== undefined || title === undefined;
    await this.#journal.update({ metadata, ...(!isNamed && { title }) });
    await this.#journal.settle();
  }
}
