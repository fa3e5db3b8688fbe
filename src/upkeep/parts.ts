/** What a round is given. */
import type { Logger } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Store } from "../store/contract.ts";

export interface RoundParts {
  readonly config: Config;
  /** Sessions as whoever looks after them may change them. */
  readonly registry: SessionRegistry;
  /** The store before its guard: whose turn it is is everybody's. */
  readonly store: Store;
  readonly log: Logger;
  /** In which the search index is. */
  readonly cacheFolder?: string | undefined;
  /** Runs between two pieces of work; rejects when sessions are busy again, or all is to end. */
  readonly pace: () => Promise<void>;
  readonly signal: AbortSignal;
  /** Where a file cannot give back its room in steps: more is not written anew, because sessions of this process would wait. */
  readonly mostAtOnce?: number;
  /** A backup is made, whether it is due or not. */
  readonly withBackup?: boolean;
  readonly onStep?: (name: string) => void;
  readonly onProgress?: (done: number, total: number) => void | Promise<void>;
}

/** Nothing more is to be done in this round, and nothing is wrong. */
export class NotNow extends Error {
  override readonly name = "NotNow";
}
