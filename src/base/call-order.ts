/** Keeps the writes to one session in the order of their calls, while different sessions run side by side. */

export class CallOrder {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `task` when every earlier task of the same key has ended, however it ended. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const result = this.#tails.get(key)?.then(task) ?? task();
    const tail = result.then(nothing, nothing);
    this.#tails.set(key, tail);
    return result.finally(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
  }

  /** Resolves when every task that was given so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}

/** A tail tells only that a task has ended; how it ended is its caller's affair. */
function nothing(): void {}
