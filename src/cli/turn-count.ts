/** How many turns sessions have: counted where they are shown, because no record says it. */
import { beginsTurn } from "../acp/entries.ts";
import { isSidecarError } from "../base/errors.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";

/** A list is not to wait for what one column of it costs. */
const forMs = 1000;

/** Returns a function that counts; `?` beyond its time, and where a session cannot be read. */
export function turnCounter(registry: SessionRegistry): (record: SessionRecord) => Promise<string> {
  let spentMs = 0;
  return async ({ id, headSeq }) => {
    if (spentMs > forMs) return "?";
    const beganMs = performance.now();
    let turns = 0;
    try {
      for await (const page of registry.read(id, { through: headSeq })) {
        turns += page.filter(beginsTurn).length;
        if (spentMs + performance.now() - beganMs > forMs) return `${turns}+`;
      }
      return String(turns);
    } catch (error) {
      if (!isSidecarError(error)) throw error;
      return "?";
    } finally {
      spentMs += performance.now() - beganMs;
    }
  };
}
