/** Waiting for other processes' locks without freezing the event loop. */
import { SidecarError } from "../../../base/errors.ts";
import { Queue } from "../../../base/queue.ts";
import { pause } from "../../../base/time.ts";
import type { Awaitable } from "../../../base/awaitable.ts";
import { isBusy } from "../../../sqlite/result-codes.ts";

/** How long SQLite itself may wait, and so block; what takes longer is tried again from the event loop. */
export const busyTimeoutMs = 20;

/** How long a call waits for other processes' locks before it fails, unless told. */
export const defaultLockWaitMs = 5000;

const maxWaiting = 10_000;

/** Tries `work` until it is not refused for a lock; after `deadlineMs` (by `performance.now()`) rejects with SQLite's own error. */
export async function untilFree<T>(work: () => T, deadlineMs: number): Promise<T> {
  for (let pauseMs = 4; ; pauseMs = Math.min(pauseMs * 2, 64)) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadlineMs) throw error;
    }
    // Spread, so that processes that wait for one lock do not keep meeting.
    await pause(pauseMs * (0.5 + Math.random()));
  }
}

/** Writes in the order in which they were asked for: while one waits for a lock, the others wait behind it. */
export class WriteQueue {
  readonly #waitMs: number;
  readonly #waiting = new Queue();

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Done on return, unless a promise is returned. */
  run<T>(work: () => T): Awaitable<T> {
    if (this.#waiting.length === 0) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
    }
    if (this.#waiting.length >= maxWaiting) {
      throw new SidecarError("STORE_LOCKED", `${maxWaiting} writes wait for the database's lock already`);
    }
    const deadlineMs = performance.now() + this.#waitMs;
    return this.#waiting.run(() => untilFree(work, deadlineMs));
  }

  /** Until no write waits any more. */
  async drained(): Promise<void> {
    while (this.#waiting.length > 0) await this.#waiting.idle();
  }
}
