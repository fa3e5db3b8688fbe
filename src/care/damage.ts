/** Damage of a store, what a repair has done about it, and what is told of a copy. */
import type { SessionId } from "../base/ids.ts";

/** Something that is not as it must be. */
export interface Damage {
  /** Absent when it is not known, or the damage is the store's as a whole. */
  readonly sessionId?: SessionId;
  /** The entries that it is about, both ends included. */
  readonly entries?: { readonly from: number; readonly through: number };
  /** Where it was found, by name. */
  readonly file?: string;
  readonly problem: string;
}

/** What was found, and what a repair has done. */
export interface Repair {
  /** Sound entries, all kept. */
  readonly entries: number;
  readonly damage: readonly Damage[];
  /** Directories with what was damaged, as it was found. */
  readonly setAside: readonly string[];
}

/** A copy of a whole store by the store's own means. */
export interface StoreBackup {
  readonly sessions: number;
  /** Where they can be counted without being read. */
  readonly entries?: number;
  readonly bytes: number;
}

/** `entry 5 is damaged`, `entries 5 to 9 are damaged` */
export function damagedEntries(from: number, through: number): string {
  return from === through ? `entry ${from} is damaged` : `entries ${from} to ${through} are damaged`;
}
