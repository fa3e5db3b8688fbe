/** Entries read, page by page, through the journals that a fork inherits from. */
import type { SessionId } from "../../base/ids.ts";
import { entriesIn, lastOf } from "../server/blocks.ts";
import { assertEnd, assertGapless, entryMissing, readAhead } from "../reading.ts";
import { sealedWhileRead, sessionNotFound } from "../refusals.ts";
import type { Entry, EntryRange } from "../contract.ts";
import type { Medium } from "./medium.ts";
import { cutBlocks, inPages, pickBlocks, sizeIfShort, type Place, type Size } from "./pages.ts";
import { findKept, type Kept } from "./records.ts";
import type { Link } from "./schema.ts";

/** Blocks that hold the entries `from` … `through`, and perhaps some around them. */
interface Fetched {
  readonly blocks: readonly string[];
  readonly from: number;
  readonly through: number;
}

/** Errors: as `Store.read`; `STORE_CORRUPT` when an entry is missing that the head counts. */
export async function* readEntries(
  medium: Medium,
  id: SessionId,
  range: EntryRange,
): AsyncGenerator<readonly Entry[]> {
  const from = Math.max(range.from ?? 1, 1);
  const size = from === 1 ? sizeIfShort(medium, id) : undefined;
  const [kept, short] = await Promise.all([findKept(medium, id), size]);
  if (kept === undefined) throw sessionNotFound(id);
  const through = Math.min(range.through ?? Infinity, kept.record.headSeq);
  const reader = new Reader(medium, kept, { from, through }, short);
  // Decoded when the next blocks are on their way.
  for await (const fetched of readAhead(() => reader.fetch())) yield* decoded(id, fetched);
}

function* decoded(id: SessionId, { blocks, from, through }: Fetched): Generator<readonly Entry[]> {
  let next = from;
  for (const some of inPages(blocks)) {
    const entries = entriesIn(some, next, through);
    if (entries.length === 0) break;
    assertGapless(entries, id, next);
    next += entries.length;
    yield entries;
  }
  if (next <= through) throw entryMissing(id, next);
}

/** Goes through the journals of a session, from the farthest that it inherits from to its own. */
class Reader {
  readonly #medium: Medium;
  readonly #id: SessionId;
  readonly #links: readonly Link[];
  readonly #through: number;
  #finalSeq: number;
  #next: number;
  /** The last entry fetched. */
  #last = 0;
  #link: Link | undefined;
  /** Of `#link`, while it may be cut. */
  #size: Size | undefined;
  /** Whether that was asked. */
  #isSized = false;
  /** The block of `#link` that may begin with the next entry. */
  #block = 0;

  /** `size` is that of the session's own journal. */
  constructor(medium: Medium, kept: Kept, { from, through }: Required<EntryRange>, size: Size | undefined) {
    const { journal, baseSeq, chain, record } = kept;
    const own = { id: record.id, journal, base: baseSeq, through: record.headSeq };
    this.#medium = medium;
    this.#id = record.id;
    this.#links = [own, ...chain];
    this.#through = through;
    this.#finalSeq = record.sealedSeq;
    this.#next = from;
    if (baseSeq === 0) [this.#link, this.#size, this.#isSized] = [own, size, from === 1];
  }

  /** Undefined after the last ones. */
  async fetch(): Promise<Fetched | undefined> {
    const from = this.#next;
    if (from > this.#through) return undefined;
    const place = await this.#placeOf(from);
    const blocks = (await this.#cut(place)) ?? (await this.#pick(place));
    const end = blocks.at(-1);
    if (end === undefined) return undefined;
    const through = Math.min(lastOf(end), place.last);
    [this.#next, this.#last] = [through + 1, through];
    return { blocks, from, through };
  }

  async #placeOf(next: number): Promise<Place> {
    const link = this.#links.find(({ base }) => next > base);
    if (link === undefined) throw entryMissing(this.#id, next);
    if (link !== this.#link) {
      [this.#link, this.#block] = [link, 0];
      [this.#size, this.#isSized] = [undefined, false];
    }
    // Where the next block stands is known at the beginning of a journal, and once a page of it was picked.
    if (!this.#isSized && (next === link.base + 1 || this.#block > 0)) {
      this.#isSized = true;
      this.#size = await sizeIfShort(this.#medium, link.id);
    }
    return { link, next, last: Math.min(this.#through, link.through), block: this.#block };
  }

  async #cut(place: Place): Promise<readonly string[] | undefined> {
    if (this.#size === undefined) return undefined;
    // What is inherited is final, whatever else becomes of its session.
    const sealedSeq = place.link.id === this.#id ? this.#finalSeq : undefined;
    const blocks = await cutBlocks(this.#medium, place, this.#size, sealedSeq);
    this.#block += blocks?.length ?? 0;
    if (blocks === undefined) this.#size = undefined;
    return blocks;
  }

  async #pick(place: Place): Promise<readonly string[]> {
    const { living, headSeq, sealedSeq, blocks, nextBlock } = await pickBlocks(this.#medium, place);
    const { link, next } = place;
    const own = link.id === this.#id;
    if (own) {
      if (!living) throw sessionNotFound(this.#id);
      if (sealedSeq !== this.#finalSeq && this.#last > this.#finalSeq) throw sealedWhileRead(this.#id);
      this.#finalSeq = sealedSeq;
    }
    this.#block = nextBlock;
    const end = blocks.at(-1);
    if (end !== undefined && lastOf(end) >= next) return blocks;
    assertEnd(this.#id, next, own ? headSeq : link.through);
    return [];
  }
}
