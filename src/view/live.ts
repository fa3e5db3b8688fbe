/** Follows what is told, and goes on where it was cut off. */
import { ApiError, type Api } from "./api.ts";
import type { StreamEvent } from "./sse.ts";

export interface Following {
  readonly api: Api;
  readonly path: string;
  /** Behind which event it begins; whatever comes from now on, unless told. */
  readonly after: string | undefined;
  readonly take: (event: StreamEvent) => void;
  /** Whether it is told of what happens, and if not, why. */
  readonly onState: (trouble: string | undefined) => void;
}

const [soonestMs, latestMs] = [500, 15_000];

export class Live {
  readonly #parts: Following;
  readonly #ending = new AbortController();
  #last: string | undefined;

  constructor(parts: Following) {
    this.#parts = parts;
    this.#last = parts.after;
    void this.#run();
  }

  close(): void {
    this.#ending.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    for (let waitMs = soonestMs; !signal.aborted; waitMs = Math.min(latestMs, waitMs * 2)) {
      try {
        if (await this.#followed()) waitMs = soonestMs;
      } catch (error) {
        if (signal.aborted || isFinal(error))
          return this.#parts.onState(signal.aborted ? undefined : messageOf(error));
        this.#parts.onState(messageOf(error));
      }
      await pause(waitMs, signal);
    }
  }

  /** Until it is cut off. @returns whether something was told */
  async #followed(): Promise<boolean> {
    const { api, path, take, onState } = this.#parts;
    const headers = this.#last === undefined ? {} : { "last-event-id": this.#last };
    let isTold = false;
    for await (const event of api.events(path, this.#ending.signal, { headers })) {
      if (this.#ending.signal.aborted) break;
      if (!isTold) onState(undefined);
      isTold = true;
      if (event.id !== undefined) this.#last = event.id;
      take(event);
    }
    return isTold;
  }
}

/** It will be no other when it is asked for again. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
