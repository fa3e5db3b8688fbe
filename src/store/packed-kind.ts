/** The kind of entries that are packed (packing.ts). */
import type { Entry, EntryKind } from "./contract.ts";

/** It stands in media only. No reader is given one, so the contract's kinds do not have it. */
export const packed = "packed" as string as EntryKind;

export function holdsPacked(page: readonly Entry[]): boolean {
  for (const { kind } of page) if (kind === packed) return true;
  return false;
}
