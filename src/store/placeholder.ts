/** What stands for an entry that is lost. */
import type { NewEntry } from "./contract.ts";

/** A repair puts it in the place of one that is damaged, so that all others keep their numbers. */
export function placeholder(atMs: number): NewEntry {
  const text = "[An entry was damaged here; a repair has set it aside.]";
  return {
    kind: "message",
    atMs,
    data: JSON.stringify({ role: "system", content: [{ type: "text", text }] }),
  };
}
