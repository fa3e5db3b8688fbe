/**
 * What an original and a session that is here begin with alike. A fork repeats what its parent said, often with other
 * times: here it shares those entries, so that nothing stands there twice.
 */
import { withoutLink } from "../../acp/chain-link.ts";
import type { Entry, NewEntry, SessionRecord } from "../../store/contract.ts";
import { EntryStream } from "./entry-stream.ts";
import type { NativeBatch } from "./native.ts";

export interface InCommon {
  /** Of the original, so many entries from its first one. */
  readonly count: number;
  /** The last of them, in the parent's journal. */
  readonly atSeq: number;
  /** Behind which entries of the original the parent's journal has the end of a turn more: see `Placing`. */
  readonly tails: readonly number[];
}

export interface Shared extends InCommon {
  readonly parent: SessionRecord;
}

/**
 * Whole turns only: what both have in common of the next one is told in the fork. Undefined where that is nothing.
 * @param parentTails as its `ImportMark` has them
 * @param ours the final entries of the parent's journal, from its first one
 */
export async function sharedWith(
  native: AsyncIterable<NativeBatch>,
  parentTails: readonly number[],
  ours: AsyncIterable<readonly Entry[]>,
): Promise<InCommon | undefined> {
  const comparing = new Comparing(parentTails, new EntryStream(ours));
  try {
    for await (const { entries } of native)
      for (const entry of entries) if (!(await comparing.isShared(entry))) return comparing.shared;
    return comparing.shared;
  } finally {
    await comparing.close();
  }
}

class Comparing {
  shared: InCommon | undefined;
  readonly #ours: EntryStream;
  readonly #parentTails: ReadonlySet<number>;
  readonly #tails: number[] = [];
  #count = 0;

  constructor(parentTails: readonly number[], ours: EntryStream) {
    this.#ours = ours;
    this.#parentTails = new Set(parentTails);
  }

  async isShared(entry: NewEntry): Promise<boolean> {
    let next = await this.#ours.next();
    if (this.#parentTails.has(this.#count) && next?.kind === "end") {
      this.#tails.push(this.#count);
      next = await this.#ours.next();
    }
    if (next === undefined || !isLike(entry, next)) return false;
    this.#count += 1;
    if (next.kind === "end" || next.kind === "rewind")
      this.shared = {
        count: this.#count,
        atSeq: next.seq,
        tails: [...this.#tails],
      };
    return true;
  }

  close(): Promise<void> {
    return this.#ours.close();
  }
}

/** Times may be others; a rewind names a place by the number that it has in the journal; links of the chain are the journal's. */
export function isLike(a: NewEntry, b: NewEntry): boolean {
  return a.kind === b.kind && (withoutLink(a) === withoutLink(b) || a.kind === "rewind");
}
