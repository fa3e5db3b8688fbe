/** Lets actions on one session through at once, or, while a long one is under way, in the order of the calls. */
export class Turnstile {
  #last: Promise<unknown> | undefined;

  run<T>(action: () => T | Promise<T>): T | Promise<T> {
    return this.#last === undefined ? action() : this.runLong(async () => action());
  }

  /** Everything that comes later waits until `action` has ended. */
  runLong<T>(action: () => Promise<T>): Promise<T> {
    const result = (this.#last ?? Promise.resolve()).then(action);
    const settled = result.then(nothing, nothing).then(() => {
      if (this.#last === settled) this.#last = undefined;
    });
    this.#last = settled;
    return result;
  }
}

/** The one who called gets the outcome; those behind only wait for it. */
function nothing(): void {}
