/** How much may be asked in a time: a second's worth at once, and then as much as time goes on. */
export class Rate {
  readonly perSecond: number;
  readonly #now: () => number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, now = () => performance.now()) {
    [this.perSecond, this.#left, this.#now, this.#atMs] = [perSecond, perSecond, now, now()];
  }

  /** Takes one more, if it can be had. */
  take(): boolean {
    const nowMs = this.#now();
    this.#left = Math.min(this.perSecond, this.#left + ((nowMs - this.#atMs) / 1000) * this.perSecond);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
