/**
 * Entries of an original as they stand in the journal. An import ends the turn that is the last one; where that went on
 * later the journal has an end more than the original, and what names a place behind it names it by another number.
 */
import { objectIn } from "../../base/json.ts";
import type { NewEntry, Rewind } from "../../store/contract.ts";

export class Placing {
  /** Those of the entries that were placed, by where they stand; behind those that were inherited. */
  readonly rewinds: Rewind[];
  readonly #tails: readonly number[];

  /**
   * @param tails behind which entries of the original the journal has an end more
   * @param inherited rewinds that a fork has from its parent
   */
  constructor(tails: readonly number[] = [], inherited: readonly Rewind[] = []) {
    this.#tails = tails;
    this.rewinds = [...inherited];
  }

  /** @param head `seq` of the entry before the first of them */
  place(entries: readonly NewEntry[], head: number): readonly NewEntry[] {
    return entries.map((entry, index) => {
      if (entry.kind !== "rewind") return entry;
      const fields = objectIn(entry.data);
      if (typeof fields?.["toSeq"] !== "number") return entry;
      const toSeq = this.#seqOf(fields["toSeq"]);
      this.rewinds.push({ at: head + 1 + index, toSeq });
      return { ...entry, data: JSON.stringify({ ...fields, toSeq }) };
    });
  }

  #seqOf(native: number): number {
    return native + this.#tails.filter((tail) => tail < native).length;
  }
}
