/** Lets what concerns one session happen in the order of the calls, and tells a reader what it was overtaken by. */
import type { SessionId } from "../../base/ids.ts";

/** Records of one session on their way from the truth into faster layers; void when a write came between. */
export interface Fetch {
  void: boolean;
  pending: number;
}

export class InOrder {
  readonly #tails = new Map<SessionId, Promise<unknown>>();
  readonly #fetches = new Map<SessionId, Fetch>();

  /** Runs `task` when the earlier ones of this session have ended, however they ended. */
  run<T>(id: SessionId, task: () => Promise<T>): Promise<T> {
    return this.#run(id, task, false);
  }

  /** As `run`, for what changes the session: whatever was fetched before it, or beside it, is old. */
  write<T>(id: SessionId, task: () => Promise<T>): Promise<T> {
    return this.#run(id, task, true);
  }

  async #run<T>(id: SessionId, task: () => Promise<T>, changes: boolean): Promise<T> {
    const before = this.#tails.get(id);
    const result = before === undefined ? task() : before.then(task, task);
    this.#tails.set(id, result);
    try {
      return await result;
    } finally {
      // Waiting since before anybody else could: this comes ahead of whatever is behind the task.
      if (changes) this.#voidFetches(id);
      if (this.#tails.get(id) === result) this.#tails.delete(id);
    }
  }

  #voidFetches(id: SessionId): void {
    const fetch = this.#fetches.get(id);
    if (fetch !== undefined) fetch.void = true;
  }

  isBusy(id: SessionId): boolean {
    return this.#tails.has(id);
  }

  /** Resolves when what was asked for this session so far has ended. */
  async settled(id: SessionId): Promise<void> {
    await this.#tails.get(id)?.then(nothing, nothing);
  }

  begin(id: SessionId): Fetch {
    let fetch = this.#fetches.get(id);
    if (fetch === undefined) this.#fetches.set(id, (fetch = { void: false, pending: 0 }));
    fetch.pending += 1;
    return fetch;
  }

  end(id: SessionId, fetch: Fetch): void {
    fetch.pending -= 1;
    if (fetch.pending === 0) this.#fetches.delete(id);
  }
}

/** The one who asked gets the outcome; those behind only wait for it. */
function nothing(): void {}
