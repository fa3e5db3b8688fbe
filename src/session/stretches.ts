/** Stretches of a journal: which entries do not count after rewinds, and which do. */
import type { EntryRange } from "../store/contract.ts";

/** Entries `from` … `through`. */
export interface Stretch {
  readonly from: number;
  readonly through: number;
}

/** @param superseded as `supersededOf` in rewinds.ts gives them */
export function isSuperseded(superseded: readonly Stretch[], seq: number): boolean {
  const stretch = superseded[firstEndingAtOrAfter(superseded, seq)];
  return stretch !== undefined && stretch.from <= seq;
}

/** What of a range counts, in order. Ends that are not given are those of a session with `headSeq`. */
export function* countingIn(
  superseded: readonly Stretch[],
  { from: first = 1, through: last }: EntryRange & { readonly through: number },
): Generator<Stretch> {
  let from = first;
  for (let at = firstEndingAtOrAfter(superseded, first); from <= last; at += 1) {
    const gone = superseded[at];
    const through = Math.min(last, (gone?.from ?? Infinity) - 1);
    if (through >= from) yield { from, through };
    if (gone === undefined) return;
    from = gone.through + 1;
  }
}

/** By halves: a search asks of every hit. */
function firstEndingAtOrAfter(stretches: readonly Stretch[], seq: number): number {
  let [low, high] = [0, stretches.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stretches[middle]?.through ?? Infinity) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
