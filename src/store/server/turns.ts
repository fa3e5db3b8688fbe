/** Turns of one who takes a lock again and again: from time to time those who wait for it have a moment to take it. */
import { pause } from "../../base/time.ts";
import { pollMs } from "./migration-lock.ts";

/** Others ask for it every `pollMs` at least, and are heard after a way there. */
const gapMs = 2 * pollMs;
/** For so long others wait before there is a gap again. */
const withoutGapMs = 1000;

export class Turns {
  #heldMs = 0;
  #endedMs = -Infinity;

  /** To be awaited before the lock is taken. */
  async begin(): Promise<void> {
    const leftMs = this.#endedMs + gapMs - performance.now();
    if (leftMs > 0 && this.#heldMs < withoutGapMs) return;
    if (leftMs > 0) await pause(leftMs);
    this.#heldMs = 0;
  }

  /** Runs what is done under the lock. */
  async hold(work: () => Promise<void>): Promise<void> {
    const beganMs = performance.now();
    try {
      await work();
    } finally {
      this.#endedMs = performance.now();
      this.#heldMs += this.#endedMs - beganMs;
    }
  }
}
