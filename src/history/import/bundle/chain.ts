/** Whether the integrity chain of a bundle's session holds. Entries come once; twice where part of them has no chain. */
import { SidecarError } from "../../../base/errors.ts";
import { ChainCheck, ChainStarts } from "../../../session/chain-check.ts";
import type { Entry } from "../../../store/contract.ts";

export class BundledChain {
  readonly #starts = new ChainStarts();
  #check = new ChainCheck();
  #hasGaps = false;

  take(entry: Entry): void {
    this.#starts.take(entry);
    if (!this.#hasGaps) this.#hasGaps = this.#check.take(entry) !== undefined;
  }

  /** Whether it is to be given all of them once more. Errors: `BUNDLE_INVALID`. */
  isToBeReadAgain(): boolean {
    if (this.#hasGaps) this.#check = new ChainCheck({ starts: this.#starts.starts });
    else this.assertHolds();
    return this.#hasGaps;
  }

  takeAgain(entry: Entry): void {
    this.#check.take(entry);
  }

  assertHolds(): void {
    const { damage } = this.#check.report;
    if (damage === undefined) return;
    const { from, through, problem } = damage;
    const where = from === through ? `entry ${from}` : `one of the entries ${from} to ${through}`;
    throw new SidecarError(
      "BUNDLE_INVALID",
      `The bundle was changed after it was written: ${where} ${problem}; export it again`,
      { data: { seq: from } },
    );
  }
}
