/** What has come since a session was brought in: the original as it is now, held against what the record says of it then. */
import type { Entry, NewEntry } from "../../store/contract.ts";
import { EntryStream } from "./entry-stream.ts";
import { RunningHash, type ImportMark } from "./mark.ts";
import type { NativeBatch } from "./native.ts";
import { isLike } from "./sharing.ts";

type Continuation =
  | { readonly what: "same" }
  /** Behind the first `skip` of its entries, which are here, it has more. */
  | ({ readonly what: "grown"; readonly entries: number } & Grown)
  /** It is another one from some point on that was brought in. */
  | { readonly what: "changed" }
  /** It has more, and the session here has, too. */
  | { readonly what: "gone on" };

export interface Grown {
  readonly skip: number;
  /** The journal has an end, behind what was brought in before, that the original has not. */
  readonly hasExtraEnd: boolean;
  /** The end of its last turn stands in the journal already. */
  readonly hasTail: boolean;
}

/** @param ours the entries of the journal from the last one of the import on */
export async function continuationOf(
  native: AsyncIterable<NativeBatch>,
  mark: ImportMark,
  ours: AsyncIterable<readonly Entry[]>,
): Promise<Continuation> {
  const here = new EntryStream(ours);
  const comparing = new Comparing(mark, here);
  try {
    for await (const batch of native) {
      if (!(await comparing.take(batch))) return { what: comparing.isSame ? "gone on" : "changed" };
    }
    return await comparing.end();
  } finally {
    await here.close();
  }
}

class Comparing {
  /** What was brought in is there as it was. */
  isSame = false;
  readonly #mark: ImportMark;
  readonly #here: EntryStream;
  readonly #hash = new RunningHash();
  #tail: readonly NewEntry[] = [];
  #skip: number;
  #more = 0;
  /** The end that the last import wrote is one of the original by now. */
  #hasItsEnd = false;
  #last: Entry | undefined;

  constructor(mark: ImportMark, here: EntryStream) {
    this.#mark = mark;
    this.#here = here;
    this.#skip = mark.count;
  }

  /** False when it is known by now that it cannot go on. */
  async take({ entries, tail = [] }: NativeBatch): Promise<boolean> {
    this.#tail = tail;
    const known = this.isSame ? 0 : Math.min(entries.length, this.#mark.count - this.#hash.count);
    if (!this.isSame) {
      this.#hash.add(entries.slice(0, known));
      if (this.#hash.count < this.#mark.count) return true;
      this.isSame = this.#hash.digest === this.#mark.hash;
      if (!this.isSame) return false;
      this.#last = await this.#here.next();
    }
    for (const entry of entries.slice(known)) if (!(await this.#follow(entry))) return false;
    return true;
  }

  async end(): Promise<Continuation> {
    if (!this.isSame) return { what: "changed" };
    const next = await this.#here.next();
    const hasTail = next !== undefined && this.#tail.some((each) => isLike(each, next));
    const isWhole = next === undefined || hasTail;
    if (this.#more > 0 && !isWhole) return { what: "gone on" };
    if (this.#more === 0 && this.#skip === this.#mark.count) return { what: "same" };
    const { count, head, tails } = this.#mark;
    const hasExtraEnd = head > count + tails.length && !this.#hasItsEnd;
    const entries = this.#more + (hasTail ? 0 : this.#tail.length);
    return { what: "grown", skip: this.#skip, entries, hasTail, hasExtraEnd };
  }

  async #follow(entry: NewEntry): Promise<boolean> {
    if (this.#more === 0) {
      // The turn that was the last one has ended, and that stands here already.
      const isEnd: boolean =
        entry.kind === "end" && this.#last?.kind === "end" && this.#skip === this.#mark.count;
      const next = isEnd ? undefined : await this.#here.next();
      if (isEnd || (next !== undefined && isLike(entry, next))) {
        this.#skip += 1;
        this.#hasItsEnd ||= isEnd;
        return true;
      }
      if (next !== undefined) return false;
    }
    this.#more += 1;
    return true;
  }
}
