import type { ArrivedUpdate } from "../../src/acp/updates.ts";

/** How many messages they are. */
export function countOf(updates: readonly ArrivedUpdate[]): number {
  return updates.reduce((count, update) => count + (update.type === "chunks" ? update.bodies.length : 1), 0);
}
