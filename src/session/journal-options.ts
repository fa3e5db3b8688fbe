/** What a journal is opened with. */
import type { Durability } from "../config/config.ts";
import type { Holder, LeaseState, Store } from "../store/contract.ts";
import type { SessionId } from "../base/ids.ts";
import type { ChainHead } from "./chain.ts";
import type { Tell } from "./events.ts";
import type { HeldRoom } from "./held.ts";
import type { Use } from "./live.ts";

export interface JournalOptions {
  readonly store: Store;
  readonly durability: Durability;
  readonly holder: Holder;
  readonly leaseTtlMs: number;
  /** Asked about a lease that another holder has: see `LeaseRequest`. */
  readonly mayTake: (current: LeaseState) => boolean;
  /** Told of every write when it is done. */
  readonly tell: Tell;
  /** Told of the newest link of its chain when it is written. */
  readonly headed?: ((head: ChainHead & { readonly sessionId: SessionId }) => void) | undefined;
  /** Where the session counts as live while it is open. */
  readonly use?: Use;
  /** Where unsealed entries find room that are more than a few. */
  readonly room?: HeldRoom;
}
