/** Tasks of one session, one after the other, in the order in which they came. */

export class Lane {
  #tail: Promise<unknown> = Promise.resolve();
  #length = 0;

  /** Tasks that have not ended. */
  get length(): number {
    return this.#length;
  }

  /** Runs `task` when all before it have ended, however they ended; settles as it does. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#length += 1;
    const result = this.#tail.then(task).finally(() => {
      this.#length -= 1;
    });
    // The caller has the failure; the tail only keeps the order.
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Settles when everything that is in the lane now has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
