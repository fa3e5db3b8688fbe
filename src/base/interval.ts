/** Rounds of a clean-up at an interval: never two at once, and none that outlives its owner. */

export class Sweeper {
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;

  /** @param sweep one round; reports its own failures */
  constructor(intervalMs: number, sweep: () => Promise<void>) {
    this.#timer = setInterval(() => {
      this.#round ??= sweep().finally(() => {
        this.#round = undefined;
      });
    }, intervalMs);
    // Cleaning up is no reason to stay alive.
    this.#timer.unref();
  }

  /** Settles when a round that runs has ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }
}
