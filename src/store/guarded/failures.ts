/** Failures to identify oneself, by where they come from: who fails again and again waits. */
import { setTimeout as delay } from "node:timers/promises";

const [most, inMs] = [5, 1000];
/** Sources that are remembered; the one that failed first is forgotten first. */
const mostSources = 10_000;

export class Failures {
  readonly #now: () => number;
  readonly #bySource = new Map<string, number[]>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  note(source: string): void {
    const [oldest] = this.#bySource.keys();
    const times = [...this.#recent(source), this.#now()].slice(-most);
    this.#bySource.delete(source);
    if (this.#bySource.size >= mostSources && oldest !== undefined) this.#bySource.delete(oldest);
    this.#bySource.set(source, times);
  }

  /** How long a source is to wait: five failures a second are looked at, not more. */
  waitMs(source: string): number {
    const times = this.#recent(source);
    return times.length < most ? 0 : Math.max(0, (times[0] ?? 0) + inMs - this.#now());
  }

  async wait(source: string, signal?: AbortSignal): Promise<void> {
    const ms = this.waitMs(source);
    if (ms > 0) await delay(ms, undefined, signal && { signal });
  }

  #recent(source: string): readonly number[] {
    return (this.#bySource.get(source) ?? []).filter((at) => at > this.#now() - inMs);
  }
}
