/** Pages of entries as they were before some of them were packed. */
import type { SessionId } from "../base/ids.ts";
import type { Entry } from "./contract.ts";
import { packed } from "./packed-kind.ts";
import { runOf, unpackRun, type Unpacked } from "./packing.ts";
import { placeholder } from "./placeholder.ts";
import { entryDamaged } from "./reading.ts";

const pageChars = 1 << 20;
/** Somebody may pack otherwise meanwhile. */
const tries = 5;

/** Reads one entry as the medium has it. */
type ReadOne = (seq: number) => Promise<Entry | undefined>;

export class PageUnpacker {
  readonly #id: SessionId;
  readonly #readOne: ReadOne;
  /** The one that was unpacked last: those that follow are of the same. */
  #run: Unpacked | undefined;

  constructor(id: SessionId, readOne: ReadOne) {
    this.#id = id;
    this.#readOne = readOne;
  }

  /** In pages of bounded size: what was packed is larger. Errors: `STORE_CORRUPT`. */
  async *pagesOf(page: readonly Entry[]): AsyncGenerator<readonly Entry[]> {
    let entries: Entry[] = [];
    let chars = 0;
    for (const entry of page) {
      const unpacked = entry.kind === packed ? await this.#unpacked(entry) : entry;
      entries.push(unpacked);
      chars += unpacked.data.length;
      if (chars < pageChars) continue;
      yield entries;
      [entries, chars] = [[], 0];
    }
    if (entries.length > 0) yield entries;
  }

  async #unpacked(given: Entry): Promise<Entry> {
    let entry: Entry | undefined = given;
    let isLost = false;
    for (let attempt = 0; attempt < tries && entry !== undefined; attempt += 1) {
      if (entry.kind !== packed) return entry;
      const from = runOf(entry);
      if (this.#run?.from !== from || attempt > 0) {
        const first: Entry | undefined = from === entry.seq ? entry : await this.#readOne(from);
        const isRun = first?.kind === packed && runOf(first) === from;
        this.#run = isRun ? await unpackRun(this.#id, first) : undefined;
        isLost = first !== undefined && !isRun;
      }
      const found = this.#run?.entries[entry.seq - from];
      if (found !== undefined)
        return { seq: entry.seq, kind: found.kind, atMs: entry.atMs, data: found.data };
      entry = await this.#readOne(entry.seq);
    }
    // A repair has set aside the entry that held the run: what was in it has gone with it.
    if (isLost) return { ...given, ...placeholder(given.atMs) };
    throw entryDamaged(this.#id, given.seq);
  }
}
