/** Tasks one after the other, in the order in which they came: of one thing, or of each of many. */

export class Queue {
  #tail: Promise<void> | undefined;
  #length = 0;

  /** Tasks that have not ended. */
  get length(): number {
    return this.#length;
  }

  /** Runs `task` at once when the queue is empty, else when all before it have ended, however; settles as it does. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#length += 1;
    const result = this.#tail === undefined ? started(task) : this.#tail.then(task);
    const ended = () => {
      this.#length -= 1;
      if (this.#tail === tail) this.#tail = undefined;
    };
    // The caller has the failure; the tail only keeps the order.
    const tail: Promise<void> = result.then(ended, ended);
    this.#tail = tail;
    return result;
  }

  /** Settles when everything that is in the queue now has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}

/** A queue for each key, as long as it has tasks; those of different keys run side by side. */
export class KeyedQueue<K> {
  /** The last task of each. */
  readonly #tails = new Map<K, Promise<unknown>>();

  isBusy(key: K): boolean {
    return this.#tails.has(key);
  }

  async run<T>(key: K, task: () => Promise<T>): Promise<T> {
    const next = () => task();
    const result = this.#tails.get(key)?.then(next, next) ?? task();
    this.#tails.set(key, result);
    try {
      return await result;
    } finally {
      if (this.#tails.get(key) === result) this.#tails.delete(key);
    }
  }

  /** Settles when every task of the key, or of all, that is there now has ended. */
  async idle(key?: K): Promise<void> {
    const tails = key === undefined ? [...this.#tails.values()] : [this.#tails.get(key) ?? Promise.resolve()];
    await Promise.allSettled(tails);
  }
}

/** A task that throws before its first await has failed as any other. */
async function started<T>(task: () => Promise<T>): Promise<T> {
  return task();
}
