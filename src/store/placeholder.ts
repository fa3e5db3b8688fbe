/** What stands for an entry that is lost. */
import type { NewEntry } from "./contract.ts";

const text = "[An entry was damaged here; a repair has set it aside.]";
const data = JSON.stringify({ role: "system", content: [{ type: "text", text }] });

/** A repair puts it in the place of one that is damaged, so that all others keep their numbers. */
export function placeholder(atMs: number): NewEntry {
  return { kind: "message", atMs, data };
}

/** Whether a repair has put it there. */
export function isPlaceholder(entry: Pick<NewEntry, "kind" | "data">): boolean {
  return entry.kind === "message" && entry.data === data;
}
