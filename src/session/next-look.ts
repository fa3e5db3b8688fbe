/** When what is kept for a time is to be looked through again: not before something in it can be due. */

/** Between two looks, at least and at most. */
const [shortestMs, longestMs] = [3_600_000, 86_400_000];

export class NextLook {
  #dueAtMs = -Infinity;

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueAtMs;
  }

  /** @param oldestMs since when the oldest is there that was left; `Infinity` for nothing */
  after(nowMs: number, oldestMs: number, forMs: number): void {
    const waitMs = Math.max(oldestMs + forMs - nowMs, shortestMs);
    this.#dueAtMs = nowMs + Math.min(waitMs, longestMs);
  }
}
