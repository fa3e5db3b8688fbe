/** What is done to a medium as a whole, below the contract, tells this. */
import type { SessionId } from "../base/ids.ts";

/** A copy of a whole store by the store's own means. */
export interface StoreBackup {
  readonly sessions: number;
  /** Where they can be counted without being read. */
  readonly entries?: number;
  readonly bytes: number;
}

/** Damage of a medium below the contract. */
export interface MediumDamage {
  /** Absent when it cannot be told, or is that of the medium as a whole. */
  readonly sessionId?: SessionId;
  readonly file: string;
  /** Entries that are lost with it. */
  readonly entries?: { readonly from: number; readonly through: number };
  readonly reason: string;
}

/** What a repair has done. */
export interface Repair {
  /** Sound entries, all kept. */
  readonly entries: number;
  /** What was damaged, and what has become of it. */
  readonly damage: readonly MediumDamage[];
  /** Directories with what was damaged, as it was found. */
  readonly setAside: readonly string[];
}
