/** Tells whoever brings a session's record into faster layers that a write has come between. */
import type { SessionId } from "../../base/ids.ts";

/** Of one session's records that are on their way at the same time: what was read may be old. */
export interface Fetch {
  isOld: boolean;
  pending: number;
}

export class Fetches {
  readonly #running = new Map<SessionId, Fetch>();

  begin(id: SessionId): Fetch {
    let fetch = this.#running.get(id);
    if (fetch === undefined) this.#running.set(id, (fetch = { isOld: false, pending: 0 }));
    fetch.pending += 1;
    return fetch;
  }

  end(id: SessionId, fetch: Fetch): void {
    fetch.pending -= 1;
    if (fetch.pending === 0) this.#running.delete(id);
  }

  /** A write has ended, whether or not it had an effect. */
  overtake(id: SessionId): void {
    const fetch = this.#running.get(id);
    if (fetch !== undefined) fetch.isOld = true;
  }
}
