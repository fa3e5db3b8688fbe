/** An agent that is taking a session up: whether it replays what it remembers, and until when. */
import { Deferred } from "../../base/deferred.ts";
import { pause, waitAtMost } from "../../base/time.ts";

/** How long an agent that has answered may take to begin its replay. */
const lateReplayMs = 150;
/** A replay that began behind the answer has ended when nothing came for so long; no longer than that is waited for it. */
const quietMs = 50;
const longestMs = 2000;

export class Replaying {
  readonly #begun = new Deferred();
  #lastMs = 0;

  get hasBegun(): boolean {
    return this.#begun.isSettled;
  }

  /** Something of the history has come. */
  note(): void {
    this.#lastMs = performance.now();
    this.#begun.settle();
  }

  /** The agent has answered: settles when a replay that comes behind its answer has ended, or none comes. */
  async untilLateEnd(): Promise<void> {
    await waitAtMost(this.#begun.promise, lateReplayMs);
    if (!this.hasBegun) return;
    const endMs = performance.now() + longestMs;
    for (let nowMs = this.#lastMs; nowMs < this.#lastMs + quietMs && nowMs < endMs; nowMs = performance.now())
      await pause(this.#lastMs + quietMs - nowMs + 1);
  }
}
