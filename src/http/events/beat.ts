/** What keeps those who follow awake: looks again and again, and says from time to time that one is there. */
import { Interval } from "../../base/interval.ts";
import type { Ring } from "./ring.ts";

/** Who follows what is quiet is looked at as often: they may be forbidden to. */
const heartbeatMs = 5000;

export class Beat {
  readonly #looking: Interval;
  readonly #beating: NodeJS.Timeout;

  constructor(ring: Ring, everyMs: number, look: () => Promise<void>) {
    this.#looking = new Interval(everyMs, look);
    this.#beating = setInterval(() => ring.wake(), heartbeatMs);
    this.#beating.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#beating);
    await this.#looking.close();
  }
}
