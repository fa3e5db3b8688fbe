/** What a check of a chain tells of entries, and is no damage. Bounded: where there is much it is told of longer stretches. */

import type { Stretch } from "./stretches.ts";

export interface ChainEvent extends Stretch {
  /**
   * `compacted` — what tools gave or agents thought made room for notes in some of these: they hold by the hashes in the notes;
   * `repaired` — a repair has set these aside; `unlinked` — the link that was about these was in an entry that a repair has set
   * aside; `begins` — the chain begins anew with the first of these.
   */
  readonly what: "compacted" | "repaired" | "unlinked" | "begins";
}

const most = 200;

export class ChainEvents {
  readonly #kept: ChainEvent[] = [];
  /** Of the stretch that is being read. */
  #repaired: Stretch[] = [];
  #compacted: Stretch | undefined;

  get all(): readonly ChainEvent[] {
    return [...this.#kept, ...this.#ofStretch()].toSorted((a, b) => a.from - b.from);
  }

  compacted(seq: number): void {
    this.#compacted = { from: this.#compacted?.from ?? seq, through: seq };
  }

  repaired(seq: number): void {
    const last = this.#repaired.at(-1);
    const goesOn = last !== undefined && (last.through === seq - 1 || this.#repaired.length === most);
    if (goesOn) this.#repaired[this.#repaired.length - 1] = { from: last.from, through: seq };
    else this.#repaired.push({ from: seq, through: seq });
  }

  /** Whether one of these entries was set aside, since the newest link. */
  isRepaired(from: number, through: number): boolean {
    return this.#repaired.some((each) => each.from <= through && each.through >= from);
  }

  add(event: ChainEvent): void {
    const last = this.#kept.findLast(({ what }) => what === event.what);
    const isNext = last?.through === event.from - 1 || this.#kept.length >= most;
    if (last !== undefined && (event.what === "compacted" || isNext))
      this.#kept[this.#kept.indexOf(last)] = { ...last, through: event.through };
    else this.#kept.push(event);
  }

  /** The stretch is read to its end. */
  keep(): void {
    for (const event of this.#ofStretch()) this.add(event);
    [this.#repaired, this.#compacted] = [[], undefined];
  }

  /** Entries from here on come again, or for the first time. */
  forgetFrom(seq: number): void {
    const before = this.#repaired.filter(({ from }) => from < seq);
    for (const { from, through } of before)
      this.add({ what: "repaired", from, through: Math.min(through, seq - 1) });
    const compacted = this.#compacted;
    if (compacted !== undefined && compacted.from < seq)
      this.add({ what: "compacted", from: compacted.from, through: Math.min(compacted.through, seq - 1) });
    [this.#repaired, this.#compacted] = [[], undefined];
  }

  #ofStretch(): ChainEvent[] {
    const repaired = this.#repaired.map((each) => ({ what: "repaired", ...each }) as const);
    return this.#compacted === undefined
      ? repaired
      : [...repaired, { what: "compacted", ...this.#compacted }];
  }
}
