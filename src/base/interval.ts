/** Something done again and again: never two rounds at once, and none that outlives its owner. */

export class Interval {
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;

  /** @param act one round; reports its own failures */
  constructor(intervalMs: number, act: () => Promise<void>) {
    this.#timer = setInterval(() => {
      this.#round ??= act().finally(() => {
        this.#round = undefined;
      });
    }, intervalMs);
    // A round that is still to come is no reason to stay alive.
    this.#timer.unref();
  }

  /** Settles when a round that runs has ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }
}
