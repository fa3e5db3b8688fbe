/** The newest events, for all who follow the same: each is made and kept once, and nobody waits for anybody. */
import type { Frame } from "./frame.ts";

/** Whoever is further behind has to look for what it missed elsewhere. */
const [mostFrames, mostBytes] = [5000, 4 << 20];

interface Some {
  readonly number: number;
  readonly end: number;
  readonly lastId: string | undefined;
  readonly bytes: Uint8Array;
}

export class Ring {
  #frames: Frame[] = [];
  /** The number of the first frame that is kept. */
  #first = 0;
  #bytes = 0;
  #wake: () => void = () => undefined;
  #woken: Promise<void> = this.#asleep();
  #isClosed = false;
  #asked: Some | undefined;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The number that the next frame will have. */
  get end(): number {
    return this.#first + this.#frames.length;
  }

  push(frame: Frame): void {
    this.#frames.push(frame);
    this.#bytes += frame.bytes.length;
    // Half of them at once, because each time the others are moved.
    if (this.#frames.length > mostFrames || this.#bytes > mostBytes)
      this.#drop(Math.ceil(this.#frames.length / 2));
    this.wake();
  }

  /** All from a number on, and the id of the last; undefined where some of these are not kept any more. */
  from(number: number): Some | undefined {
    if (number < this.#first) return undefined;
    const { end } = this;
    // Most who follow ask for the same.
    if (this.#asked?.number === number && this.#asked.end === end) return this.#asked;
    const frames = this.#frames.slice(number - this.#first);
    this.#asked = {
      number,
      end,
      lastId: frames.at(-1)?.id,
      bytes: Buffer.concat(frames.map(({ bytes }) => bytes)),
    };
    return this.#asked;
  }

  /** The number behind the frame with this id; undefined where it is not kept. */
  behind(id: string): number | undefined {
    const at = this.#frames.findLastIndex((frame) => frame.id === id);
    return at < 0 ? undefined : this.#first + at + 1;
  }

  /** Settles when there is more, or it is time to say that one is there. */
  get more(): Promise<void> {
    return this.#woken;
  }

  wake(): void {
    const wake = this.#wake;
    this.#woken = this.#asleep();
    wake();
  }

  close(): void {
    this.#isClosed = true;
    this.wake();
  }

  #drop(count: number): void {
    for (const { bytes } of this.#frames.slice(0, count)) this.#bytes -= bytes.length;
    this.#frames = this.#frames.slice(count);
    this.#first += count;
  }

  #asleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
