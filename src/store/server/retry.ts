/** Second tries for servers that go away or ask to be asked again. */
import { pause } from "../../base/time.ts";

/**
 * What an error says about the work that it ended:
 * `away` — the server was not reached, nothing happened; `lost` — the connection broke, whether it
 * happened is unknown; `again` — the server undid it and invites another try; `final` — no use in trying.
 */
export type Setback = "away" | "lost" | "again" | "final";

/** What a try may need to know of the earlier ones. */
export interface Attempt {
  /** An earlier try may have taken effect although it failed. */
  readonly uncertain: boolean;
}

/** How long a store waits for its server. */
export interface ServerLimits {
  /** How long a server may be away, counted over all calls, before they fail at once. */
  readonly retryForMs: number;
  readonly connectTimeoutMs: number;
}

export const serverLimits: ServerLimits = { retryForMs: 3_000, connectTimeoutMs: 5_000 };

/** What calls that have begun are given when a store is closed. */
export const closeGraceMs = 2_000;

interface RetryOptions extends Pick<ServerLimits, "retryForMs"> {
  readonly setback: (error: unknown) => Setback;
}

const firstDelayMs = 10;
const longestDelayMs = 250;
/** Conflicts between transactions end sooner or later; this many in a row are somebody's mistake. */
const mostConflicts = 40;

export class Retrier {
  readonly #options: RetryOptions;
  /** Since when no call has got through; shared, so that queued calls do not wait one after the other. */
  #awaySinceMs: number | undefined;
  #stopped = false;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /** Calls that wait for another try fail instead. */
  stop(): void {
    this.#stopped = true;
  }

  /** Settles when every call that has begun has. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Runs `task` until it succeeds, fails for good, or the server has been away for too long. */
  async run<T>(task: (attempt: Attempt) => Promise<T>): Promise<T> {
    const running = this.#tried(task);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #tried<T>(task: (attempt: Attempt) => Promise<T>): Promise<T> {
    let uncertain = false;
    let conflicts = 0;
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
      try {
        const result = await task({ uncertain });
        this.#awaySinceMs = undefined;
        return result;
      } catch (error) {
        const setback = this.#options.setback(error);
        if (setback === "again") conflicts += 1;
        if (this.#stopped || conflicts > mostConflicts || !this.#worthTrying(setback)) throw error;
        uncertain ||= setback === "lost";
      }
      await pause(delayMs * (0.5 + Math.random()));
    }
  }

  #worthTrying(setback: Setback): boolean {
    if (setback === "final") return false;
    if (setback === "again") return true;
    const nowMs = performance.now();
    this.#awaySinceMs ??= nowMs;
    return nowMs - this.#awaySinceMs < this.#options.retryForMs;
  }
}
