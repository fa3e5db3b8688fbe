/** Where in a journal file the entries that count stand. */

/** Neighbouring lines, all of them entries: `from` … `through` are among them; those beyond were replaced. */
export interface Run {
  readonly from: number;
  through: number;
  readonly offset: number;
  end: number;
}

/** Small enough that finding an entry in its run costs one short read. */
const runBytes = 64 * 1024;

export function addToRuns(runs: Run[], seq: number, offset: number, end: number): void {
  const last = runs.at(-1);
  if (last?.end === offset && last.through === seq - 1 && end - last.offset <= runBytes) {
    last.through = seq;
    last.end = end;
  } else {
    runs.push({ from: seq, through: seq, offset, end });
  }
}

/** Forgets the entries from `from` on. */
export function cutRuns(runs: Run[], from: number): void {
  while ((runs.at(-1)?.from ?? 0) >= from) runs.pop();
  const last = runs.at(-1);
  if (last !== undefined) last.through = Math.min(last.through, from - 1);
}

/** Position of the first run that has entries at or after `seq`. */
export function firstRunAt(runs: readonly Run[], seq: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle]?.through ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
