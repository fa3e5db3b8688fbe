/** Keeping up with a history: what is written there is brought in as soon as it has been quiet for a moment. */
import { watch, type FSWatcher } from "node:fs";
import { reasonOf } from "../../base/errors.ts";
import { pause } from "../../base/time.ts";
import { keyOf } from "./mark.ts";
import type { NativeSession } from "./native.ts";
import { importHistory, type ImportOptions, type ImportResult, type Told } from "./run.ts";

export interface WatchOptions extends ImportOptions {
  /** Aborted: it ends when what is being written is. */
  readonly signal: AbortSignal;
  /** So long nothing must have been written to a session: an agent in a turn writes all the time. */
  readonly quietMs?: number;
  /** Between two looks where the system does not tell of changes, and for what it has not told. */
  readonly pollMs?: number;
  /** Told of each round that is done, with all that was done so far. */
  readonly onRound?: (sum: ImportResult) => void;
}

/** Many changes at once are one. */
const gatherMs = 200;

/** Settles when it is told to end. Errors: `STORE_…`. */
export async function watchHistory(options: WatchOptions): Promise<ImportResult> {
  const watching = new Watching(options);
  try {
    return await watching.run();
  } finally {
    watching.close();
  }
}

class Watching {
  readonly #options: WatchOptions;
  readonly #quietMs: number;
  readonly #watchers: FSWatcher[] = [];
  /** What each session was when it was looked at last. */
  readonly #seen = new Map<string, string>();
  #isTold = false;
  #wake: () => void = () => undefined;
  #isWaitedFor = false;
  /** Also of a round that was ended in the middle. */
  readonly #sessions: Record<Told["what"], number> = { ...none };
  #sum: Omit<ImportResult, "sessions"> = { entries: 0, bytes: 0, problems: 0 };

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#quietMs = options.quietMs ?? 5000;
    for (const place of options.places) this.#watch(place);
  }

  async run(): Promise<ImportResult> {
    const { signal, onRound } = this.#options;
    for (;;) {
      this.#isTold = false;
      this.#isWaitedFor = false;
      await this.#round();
      const sum = { ...this.#sum, sessions: { ...this.#sessions } };
      onRound?.(sum);
      if (signal.aborted) return sum;
      await this.#untilNext();
      if (signal.aborted) return sum;
    }
  }

  close(): void {
    for (const each of this.#watchers) each.close();
  }

  /** One that is ended in the middle leaves what is complete. */
  async #round(): Promise<void> {
    const { signal, onSession, onProblem } = this.#options;
    try {
      await importHistory({
        ...this.#options,
        isWanted: (native) => this.#isDue(native),
        onProblem: (problem) => {
          if (problem.isPending !== true) this.#add({ problems: 1 });
          onProblem?.(problem);
        },
        onSession: async (told) => {
          this.#sessions[told.what] += 1;
          this.#add({ entries: told.entries });
          await onSession?.(told);
        },
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #add({ entries = 0, problems = 0 }: { readonly entries?: number; readonly problems?: number }): void {
    const { bytes, ...sum } = this.#sum;
    this.#sum = { bytes, entries: sum.entries + entries, problems: sum.problems + problems };
  }

  #isDue(native: NativeSession): boolean {
    if (this.#seen.get(keyOf(native)) === native.stamp) return false;
    if (Date.now() - native.modifiedAtMs < this.#quietMs) {
      this.#isWaitedFor = true;
      return false;
    }
    this.#seen.set(keyOf(native), native.stamp);
    return true;
  }

  async #untilNext(): Promise<void> {
    const { signal, pollMs = this.#watchers.length > 0 ? 60_000 : 5000 } = this.#options;
    const early = new AbortController();
    const stop = () => early.abort();
    this.#wake = stop;
    signal.addEventListener("abort", stop);
    if (this.#isTold) stop();
    await pause(this.#isWaitedFor ? Math.min(pollMs, this.#quietMs) : pollMs, early.signal);
    signal.removeEventListener("abort", stop);
    if (!signal.aborted && this.#isTold) await pause(gatherMs, signal);
  }

  /** Where the system cannot tell, it is looked at again and again. */
  #watch(place: string): void {
    try {
      const watcher = watch(place, { recursive: true, persistent: false }, () => {
        this.#isTold = true;
        this.#wake();
      });
      watcher.on("error", (error) => this.#leave(watcher, place, error));
      this.#watchers.push(watcher);
    } catch {
      // A place that is not there yet, or too many to be watched.
    }
  }

  #leave(watcher: FSWatcher, path: string, error: Error): void {
    watcher.close();
    const at = this.#watchers.indexOf(watcher);
    if (at >= 0) this.#watchers.splice(at, 1);
    this.#options.onProblem?.({ path, reason: `cannot be watched: ${reasonOf(error)}`, isPending: true });
  }
}

const none = { imported: 0, continued: 0, replaced: 0, present: 0, empty: 0, skipped: 0 };
