/** What a repair puts in the place of an entry that is lost, so that all others keep their numbers. */
import type { NewEntry } from "../store/contract.ts";

export function hole(atMs: number): NewEntry {
  const text = "[An entry was damaged here; a repair has set it aside.]";
  return {
    kind: "message",
    atMs,
    data: JSON.stringify({ role: "system", content: [{ type: "text", text }] }),
  };
}

/** `entry 5 is damaged`, `entries 5 to 9 are damaged` */
export function lostEntries(from: number, through: number): string {
  return from === through ? `entry ${from} is damaged` : `entries ${from} to ${through} are damaged`;
}
