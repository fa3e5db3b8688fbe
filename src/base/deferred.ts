/** A promise that is settled from outside, once; settling it again does nothing. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  #isSettled = false;
  #resolve: (value: T) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  settle(value: T): void {
    this.#isSettled = true;
    this.#resolve(value);
  }
}
