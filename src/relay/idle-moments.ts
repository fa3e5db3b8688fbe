/** Work for moments in which nobody asks for anything: begun after a while of quiet, and ended by whatever comes. */

export interface IdleWork {
  /** So long nothing must have come. */
  readonly quietMs: number;
  /** There is something going on, whether it was asked for lately or not. */
  readonly isBusy: () => boolean;
  /** Reports its own failures; ends soon when `signal` is aborted. */
  readonly act: (signal: AbortSignal) => Promise<void>;
}

/** Once after each time that something came: whoever does nothing is not woken. */
export class IdleMoments {
  readonly #work: IdleWork;
  #cameMs = performance.now();
  #open = 0;
  #timer: NodeJS.Timeout | undefined;
  #acting: AbortController | undefined;
  #isClosed = false;

  constructor(work: IdleWork) {
    this.#work = work;
  }

  /** Something is being done. */
  get isOpen(): boolean {
    return this.#open > 0;
  }

  /** Something is to be done, until `noteDone`. */
  noteBegun(): void {
    this.#open += 1;
    this.#acting?.abort();
  }

  noteDone(): void {
    this.#open -= 1;
    this.#cameMs = performance.now();
    if (this.#timer === undefined && !this.#isClosed) this.#wait(this.#work.quietMs);
  }

  /** Nothing is begun any more; what runs is told to end. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#acting?.abort();
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms);
    // It is no reason to stay alive.
    this.#timer.unref();
  }

  #look(): void {
    this.#timer = undefined;
    const { quietMs, isBusy, act } = this.#work;
    const quietForMs = performance.now() - this.#cameMs;
    if (this.#open > 0 || this.#acting !== undefined || isBusy()) return this.#wait(quietMs);
    if (quietForMs < quietMs) return this.#wait(quietMs - quietForMs + 1);
    const acting = new AbortController();
    this.#acting = acting;
    void act(acting.signal).finally(() => (this.#acting = undefined));
  }
}
