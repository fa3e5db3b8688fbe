/**
 * What nobody can tell of a journal that is damaged, until a line behind the damage does. A line that cannot be read
 * may have been anything: an entry, what became of the lease, or a seal, which replaces entries that can be read.
 */
import type { EntryLine, OpLine } from "./line.ts";
import { cutRuns, type Run } from "./runs.ts";

export interface Doubt {
  /** Entries or a seal may be lost: the next line that says where it stands is believed. */
  headUnsure: boolean;
  /** What became of the lease may be lost: the next line that says it is believed. */
  leaseUnsure: boolean;
  /** What stands before it in the file and is not final may have been replaced by a seal that is lost. */
  doubtfulBefore: number;
}

export const noDoubt: Doubt = { headUnsure: false, leaseUnsure: false, doubtfulBefore: 0 };

/** What of a journal's state is in question. */
interface Doubtful extends Doubt {
  headSeq: number;
  readonly sealedSeq: number;
  readonly runs: Run[];
  readonly damage: readonly { readonly offset: number }[];
  record: unknown;
}

/** The last damage may have held anything: an entry is taken for lost with it unless a later line knows better. */
export function doubt(state: Doubtful): void {
  if (!state.headUnsure) state.headSeq += 1;
  state.headUnsure = true;
  state.leaseUnsure = true;
  state.doubtfulBefore = state.damage.at(-1)?.offset ?? 0;
  state.record = undefined;
}

/** Takes what a line that counts says for known from here on; called before it is taken in. */
export function settle(state: Doubtful, line: EntryLine | OpLine): void {
  const isSeal = "op" in line && line.op === "seal";
  const from = "seq" in line ? line.seq : isSeal ? line.from : undefined;
  if (from !== undefined) {
    // A line that falls back shows that a seal is lost. What stands before the next seal's first entry may hide one.
    if (isSeal || (state.headUnsure && from <= state.headSeq)) forgetDoubtful(state);
    if (isSeal) state.doubtfulBefore = 0;
    state.headUnsure = false;
  }
  const ofLease = "op" in line && (line.op === "lease" || line.op === "release");
  if (ofLease || ("batch" in line && line.batch !== undefined)) state.leaseUnsure = false;
}

/** Takes for lost what a lost seal may have replaced. */
function forgetDoubtful({ runs, doubtfulBefore, sealedSeq }: Doubtful): void {
  const firm = runs.splice(runs.findLastIndex((run) => run.offset < doubtfulBefore) + 1);
  cutRuns(runs, sealedSeq + 1);
  runs.push(...firm);
}
