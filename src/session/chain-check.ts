/**
 * Checks the chain of a session (`chain.ts`), its entries one after the other. The first entry is named that is not what it was
 * when it was linked; where the entry is gone that carried the link, the stretch that it was about. What a repair or a
 * compaction has done is told, and is no damage.
 */
import { linkIn, type ChainLink } from "../acp/chain-link.ts";
import type { Entry } from "../store/contract.ts";
import { isPlaceholder } from "../store/placeholder.ts";
import { ChainEvents, type ChainEvent } from "./chain-events.ts";
import { ChainMarks } from "./chain-marks.ts";
import { LinkedStretch } from "./chain.ts";
import type { Stretch } from "./stretches.ts";

export interface ChainReport {
  /** From the first entry to the last that a link is about; absent where there is no link. */
  readonly linked?: Stretch;
  /** The newest link. */
  readonly sha256?: string;
  readonly events: readonly ChainEvent[];
  readonly damage?: Stretch & { readonly problem: string };
}

const problems = {
  missing: "is not there",
  other: "is not what it was when it was linked: it was edited, removed, put in or moved",
  unlinked: "has lost the link of the integrity chain, or was changed with it",
  ownLink: "carries a link of the integrity chain that is not that of its entries",
  strange: "carries a link of the integrity chain that belongs elsewhere",
} as const;

/** What a check is told, and tells. */
export interface Checking {
  /** Told of each link that holds. */
  readonly onLink?: (seq: number, sha256: string) => void;
  /** Where stretches begin that entries stand before which no link is about, where that is known: see `ChainStarts`. */
  readonly starts?: ReadonlySet<number>;
}

export class ChainCheck {
  readonly #checking: Checking;
  readonly #events = new ChainEvents();
  #stretch = new LinkedStretch(1);
  /** The newest link that holds, and the entry that carries it. */
  #before: string | undefined;
  #beforeSeq = 0;
  /** It stood in an entry that a repair has set aside: the next one is taken as it is. */
  #isLost = false;
  /** Entries before the stretch that no link is about; the link of the stretch says whether that may be. */
  #gap: (Stretch & { readonly isRepaired: boolean }) | undefined;
  #linked: Stretch | undefined;
  /** The first entry, since the newest link, whose link is about other entries. */
  #strangeSeq: number | undefined;
  #damage: ChainReport["damage"];

  constructor(checking: Checking = {}) {
    this.#checking = checking;
  }

  /**
   * Takes the next entry. Returns a `seq` where those from there on, up to this one, are to be given once more: a link is about
   * fewer entries than there are since the one before it.
   */
  take(entry: Entry): number | undefined {
    if (this.#damage !== undefined) return undefined;
    const { seq } = entry;
    if (seq !== this.#stretch.next) return this.#damaged("missing", this.#stretch.next);
    if (this.#checking.starts?.has(seq) === true && seq > this.#stretch.from) this.#leave(seq);
    const isCompacted = this.#stretch.add(entry);
    if (isPlaceholder(entry)) this.#events.repaired(seq);
    else if (isCompacted) this.#events.compacted(seq);
    const link = linkIn(entry);
    return link === undefined ? undefined : this.#close(seq, link);
  }

  get report(): ChainReport {
    if (this.#damage === undefined && this.#strangeSeq !== undefined)
      this.#damaged("strange", this.#beforeSeq + 1, this.#strangeSeq);
    return {
      ...(this.#linked !== undefined && { linked: this.#linked }),
      ...(this.#before !== undefined && { sha256: this.#before }),
      events: this.#events.all,
      ...(this.#damage !== undefined && { damage: this.#damage }),
    };
  }

  #close(seq: number, link: ChainLink): number | undefined {
    const { from } = this.#stretch;
    if (!ChainMarks.fit(link.marks, link.through - link.from + 1)) return this.#damaged("ownLink", seq);
    if (link.from > from && link.from <= seq) return this.#leave(link.from);
    if (link.from === from) return this.#mayBegin(link) ? this.#compare(seq, link) : undefined;
    // What is wrong here is told by the link whose place this is, if that comes.
    this.#strangeSeq ??= seq;
    return undefined;
  }

  #leave(from: number): number {
    const isRepaired = this.#events.isRepaired(from - 1, from - 1);
    this.#gap = { from: this.#beforeSeq + 1, through: from - 1, isRepaired };
    this.#startAt(from);
    return from;
  }

  /** Whether the stretch may be the next one. */
  #mayBegin({ begins }: ChainLink): boolean {
    const gap = this.#gap;
    if (gap === undefined) return true;
    const { from, through, isRepaired } = gap;
    if (!begins && !isRepaired) {
      this.#damaged("unlinked", from, through);
      return false;
    }
    if (isRepaired) this.#events.add({ what: "unlinked", from, through });
    [this.#gap, this.#isLost] = [undefined, !begins];
    return true;
  }

  #compare(seq: number, link: ChainLink): undefined {
    const { from } = this.#stretch;
    const { marks } = this.#stretch;
    const found = this.#stretch.link(link.begins ? undefined : (this.#before ?? ""));
    const isSame = found.sha256 === link.sha256 && found.marks === link.marks && link.through === seq;
    if (!isSame) {
      const told = ChainMarks.of(link.marks, link.through - link.from + 1);
      const isRepaired = (first: number, last: number) => this.#events.isRepaired(from + first, from + last);
      const other = marks.firstOther(told, isRepaired);
      // A link may be about more entries than stand before it.
      const first = other === undefined ? Infinity : Math.min(from + other.from, seq);
      if (other !== undefined && first < (this.#strangeSeq ?? Infinity))
        return this.#damaged("other", first, Math.min(from + other.through, seq));
      if (this.#strangeSeq !== undefined) return this.#damaged("strange", this.#strangeSeq);
      const isExplained = this.#isLost || this.#events.isRepaired(from, seq);
      if (link.through !== seq || !isExplained) return this.#damaged("ownLink", seq);
    }
    // An entry may be what it was but for a link that it never had.
    if (this.#strangeSeq !== undefined) return this.#damaged("strange", this.#strangeSeq);
    this.#hold(seq, link);
    return undefined;
  }

  #hold(seq: number, { from, sha256, begins }: ChainLink): void {
    if (begins && this.#linked !== undefined) this.#events.add({ what: "begins", from, through: seq });
    this.#linked = { from: this.#linked?.from ?? from, through: seq };
    [this.#before, this.#beforeSeq, this.#isLost] = [sha256, seq, false];
    this.#checking.onLink?.(seq, sha256);
    this.#events.keep();
    this.#startAt(seq + 1);
  }

  #startAt(seq: number): void {
    this.#strangeSeq = undefined;
    this.#stretch = new LinkedStretch(seq);
    this.#events.forgetFrom(seq);
  }

  #damaged(problem: keyof typeof problems, from: number, through = from): undefined {
    this.#damage = { from, through, problem: problems[problem] };
  }
}

/** Finds, without a hash, where stretches begin that entries stand before which no link is about. */
export class ChainStarts {
  readonly starts = new Set<number>();
  #linkSeq = 0;

  take(entry: Entry): void {
    const link = linkIn(entry);
    if (link === undefined || link.from <= this.#linkSeq || link.from > entry.seq) return;
    if (link.from > this.#linkSeq + 1) this.starts.add(link.from);
    this.#linkSeq = entry.seq;
  }
}
