/** One who is told what happens, with a queue of its own: it may be slow, fail or never return. */
import type { Awaitable } from "../base/awaitable.ts";
import { loggedReason } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

interface News {
  readonly type: string;
  readonly entries?: readonly { readonly data: string }[];
}

type Take<N> = (news: N, missed: number) => Awaitable<void>;

const mostWaiting = 10_000;
/** Characters of entries that may wait for a subscriber. */
const mostChars = 64 << 20;
/** After so many events others have their turn. */
const deliveredAtOnce = 100;

export class Subscriber<N extends News> {
  /** The one type of news that it is for; undefined: all. */
  readonly wants: string | undefined;
  readonly #take: Take<N>;
  readonly #most: number;
  readonly #log: Logger;
  #waiting: { readonly news: N; readonly missed: number }[] = [];
  /** Of those that wait, and of those that are being delivered. */
  #count = 0;
  #chars = 0;
  #missed = 0;
  #ended = false;
  #delivering = false;
  #delivered: Promise<void> | undefined;

  constructor(take: Take<N>, wants: string | undefined, most = mostWaiting, log: Logger) {
    this.wants = wants;
    this.#take = take;
    this.#most = most;
    this.#log = log;
  }

  push(news: N): void {
    const isFull = this.#count >= this.#most || (this.#count > 0 && this.#chars > mostChars);
    if (isFull) {
      if (this.#missed === 0)
        this.#log.warn({ waiting: this.#count }, "a subscriber is behind: it misses events");
      this.#missed += 1;
      return;
    }
    this.#waiting.push({ news, missed: this.#missed });
    this.#missed = 0;
    this.#count += 1;
    this.#chars += charsOf(news);
    if (!this.#delivering) this.#delivered = this.#deliver();
  }

  /** Settles when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#delivering) await this.#delivered;
  }

  end(): void {
    this.#ended = true;
  }

  async #deliver(): Promise<void> {
    this.#delivering = true;
    for (let batch = this.#waiting; batch.length > 0; batch = this.#waiting) {
      this.#waiting = [];
      for (const [at, { news, missed }] of batch.entries()) {
        // Whoever writes goes on first.
        if (at % deliveredAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
        if (!this.#ended) await this.#give(news, missed);
        this.#count -= 1;
        this.#chars -= charsOf(news);
      }
    }
    this.#delivering = false;
  }

  async #give(news: N, missed: number): Promise<void> {
    try {
      await this.#take(news, missed);
    } catch (error) {
      this.#log.error({ event: news.type, error: loggedReason(error, this.#log) }, "a subscriber failed");
    }
  }
}

function charsOf({ entries = [] }: News): number {
  return entries.reduce((sum, { data }) => sum + data.length, 0);
}
