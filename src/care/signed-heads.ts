/** Holds the chain of a session against what was signed of it: so a chain is noticed that was shortened or made anew. */
import type { ChainReport } from "../session/chain-check.ts";
import type { SessionId } from "../base/ids.ts";
import type { Damage } from "./damage.ts";

/** Links by session and by the entry that carries them, as they were signed. */
export type SignedHeads = ReadonlyMap<string, ReadonlyMap<number, string>>;

export interface Completeness {
  /** Signed links that are there. */
  readonly signed: number;
  /** Entries that were signed and are not there any more. */
  readonly missing: readonly Damage[];
}

export interface HeadsReport {
  readonly signed: number;
  /** `seq` of the newest one that is not there, and stood after all that is linked. */
  readonly missingSeq?: number;
  /** `seq` of the first one where another link is, or none. */
  readonly otherSeq?: number;
}

export class HeadsCheck {
  readonly #left: Map<number, string>;
  #signed = 0;
  #otherSeq: number | undefined;

  constructor(heads: SignedHeads | undefined, id: SessionId) {
    this.#left = new Map(heads?.get(id));
  }

  readonly link = (seq: number, sha256: string): void => {
    const signed = this.#left.get(seq);
    if (signed === undefined) return;
    this.#left.delete(seq);
    if (signed === sha256) this.#signed += 1;
    else this.#otherSeq ??= seq;
  };

  report({ linked, events }: ChainReport, headSeq: number): HeadsReport {
    let [missingSeq, otherSeq] = [0, this.#otherSeq ?? Infinity];
    for (const seq of this.#left.keys()) {
      const isExplained = events.some(
        ({ what, from, through }) =>
          (what === "repaired" || what === "unlinked") && from <= seq && seq <= through,
      );
      if (seq > Math.max(headSeq, linked?.through ?? 0)) missingSeq = Math.max(missingSeq, seq);
      else if (!isExplained) otherSeq = Math.min(otherSeq, seq);
    }
    return {
      signed: this.#signed,
      ...(missingSeq > 0 && { missingSeq }),
      ...(otherSeq < Infinity && { otherSeq }),
    };
  }
}

/** Sums up sessions one after the other. */
export class CompletenessSum {
  #signed = 0;
  readonly #missing: Damage[] = [];

  add(sessionId: SessionId, { signed, missingSeq: through }: HeadsReport, headSeq: number): void {
    this.#signed += signed;
    if (through === undefined) return;
    const entries = { from: headSeq + 1, through };
    this.#missing.push({ sessionId, entries, problem: "was there when it was signed, and all after it" });
  }

  get sum(): Completeness {
    return { signed: this.#signed, missing: this.#missing };
  }
}
