/**
 * How many turns sessions have: counted where they are shown, because no record says it. What a rewind has superseded is
 * none, nor what the sidecar has answered itself.
 */
import { beginsTurn } from "../acp/entries.ts";
import { isOwn } from "../acp/own-mark.ts";
import { isSidecarError } from "../base/errors.ts";
import type { Entry, SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { isSuperseded } from "../session/stretches.ts";

/** A list is not to wait for what one column of it costs. */
const forMs = 1000;

/** Returns a function that counts; `?` beyond its time, and where a session cannot be read. */
export function turnCounter(registry: SessionRegistry): (record: SessionRecord) => Promise<string> {
  let spentMs = 0;
  return async ({ id, headSeq, settings }) => {
    if (spentMs > forMs) return "?";
    const beganMs = performance.now();
    let turns = 0;
    try {
      const superseded = settings.rewinds === undefined ? [] : await registry.superseded(id);
      const counts = (entry: Entry) =>
        beginsTurn(entry) && !isOwn(entry) && !isSuperseded(superseded, entry.seq);
      for await (const page of registry.read(id, { through: headSeq })) {
        turns += page.filter(counts).length;
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
