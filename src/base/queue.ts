/**
 * Tasks one after the other, in the order in which they came: in one queue, or in one for each key. No queue drops or
 * refuses a task: each belongs to a caller who waits for it, and that bounds how many there are. Where somebody outside
 * decides how much comes, the relay stops reading while a session's queue is long.
 */

import { promiseOf, type Awaitable } from "./awaitable.ts";

export class Queue {
  #tail: Promise<void> | undefined;
  #length = 0;

  /** Tasks that have not ended. */
  get length(): number {
    return this.#length;
  }

  /**
   * Runs `task` at once when the queue is empty, else when all before it have ended, however; settles as it does.
   * @param onEnd called when it has ended and is no longer counted, before whoever waits for it goes on
   */
  run<T>(task: () => Awaitable<T>, onEnd?: () => void): Promise<T> {
    this.#length += 1;
    const result = this.#tail === undefined ? promiseOf(task) : this.#tail.then(task);
    const ended = () => {
      this.#length -= 1;
      if (this.#tail === tail) this.#tail = undefined;
      onEnd?.();
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
  readonly #queues = new Map<K, Queue>();

  isBusy(key: K): boolean {
    return this.#queues.has(key);
  }

  run<T>(key: K, task: () => Awaitable<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? new Queue();
    this.#queues.set(key, queue);
    return queue.run(task, () => {
      if (queue.length === 0 && this.#queues.get(key) === queue) this.#queues.delete(key);
    });
  }

  /** Settles when every task of the key, or of all, that is there now has ended. */
  async idle(key?: K): Promise<void> {
    if (key !== undefined) return this.#queues.get(key)?.idle();
    await Promise.all(Array.from(this.#queues.values(), (queue) => queue.idle()));
  }
}
