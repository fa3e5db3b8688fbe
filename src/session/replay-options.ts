/** What of a session is replayed, and to whom. */
import type { Json } from "../base/json.ts";
import type { Stretch } from "./stretches.ts";
import type { Inherited } from "./subagents.ts";

/** By kind, the last value of what is state. */
export type ReplayedState = Map<string, string>;

export interface ReplayRange {
  /** Folded already: streamed as it stands. */
  readonly sealedSeq: number;
  /** Beyond `sealedSeq`, of a turn that runs: folded on the way, bounded by the journal. */
  readonly headSeq: number;
  /** What comes before is left out; nothing, unless told. */
  readonly fromSeq?: number;
}

export interface ReplayOptions {
  /** The client's, as in `initialize`: what it did not ask for is shown as the nearest thing that it knows. */
  readonly capabilities?: Json | undefined;
  /** Nothing goes on in the session: what has not ended never will. */
  readonly isAtRest?: boolean;
  /** Of a fork: what it has from its parent. */
  readonly inherited?: Inherited | undefined;
  /** What does not count, and is not shown. */
  readonly superseded?: readonly Stretch[];
}
