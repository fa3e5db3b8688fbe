/**
 * Brings letters to their receivers: each is put on disk first and stays there until it has been taken, so that it is
 * delivered at least once, by another process if need be. To one receiver they go in order; one that does not take them
 * is tried again after longer and longer pauses, and then given up. Nobody waits for any of it.
 */
import { reasonOf, systemCodeOf } from "../base/errors.ts";
import { newId, timeIn } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { noMeter, type Counting } from "../base/meter.ts";
import { Queue } from "../base/queue.ts";
import { pause, waitAtMost } from "../base/time.ts";
import type { Receiver } from "../config/structures.ts";
import { addressOf, nameOf, type Letter } from "./letter.ts";
import { Outbox } from "./outbox.ts";
import { uselessMs } from "../base/owner.ts";
import { postJson } from "./post.ts";
import { runCommand } from "./run.ts";

export interface CourierOptions {
  /** Where letters wait. */
  readonly folder: string;
  /** All that are configured: what waits for others is left alone. */
  readonly receivers: readonly Receiver[];
  readonly log: Logger;
  readonly meter?: Counting;
  /** Whether what was said may stand on disk. Of an encrypted store it does not: after a kill the rest is told without it. */
  readonly keepsContent?: boolean;
  /** Names of variables that programs do not inherit. */
  readonly withheld?: readonly string[];
  /** Letters in this process, on disk or on the way there: more are dropped. */
  readonly mostWaiting?: number;
  /** The pause before the second try; it doubles. */
  readonly backoffMs?: number;
}

/** What is told: `event` and facts. The id, and when it was told, are added. */
export type News = Readonly<Record<string, unknown>> & { readonly event: string };

/** So many tries, with pauses that add up to two minutes. */
const mostTries = 8;
const defaultMostWaiting = 1000;
/** Of one letter, as JSON. */
const mostChars = 64 << 10;

interface Route {
  readonly receiver: Receiver;
  readonly waiting: Letter[];
  going: Promise<void> | undefined;
  isDelivering: boolean;
}

export class Courier {
  readonly #options: CourierOptions;
  readonly #outbox: Outbox;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #putting = new Queue();
  readonly #ended = new AbortController();
  #takingOver: Promise<void> = Promise.resolve();
  #isClosing = false;
  #waiting = 0;

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.folder);
    this.#routes = new Map(
      options.receivers.map((receiver) => [
        addressOf(receiver),
        { receiver, waiting: [], going: undefined, isDelivering: false },
      ]),
    );
  }

  /**
   * Tells a receiver, soon. What is handed over must not change.
   * @param id known already, of what may have been handed over before
   */
  send(receiver: Receiver, news: News, id = newId()): void {
    const { log, mostWaiting = defaultMostWaiting } = this.#options;
    const route = this.#routes.get(addressOf(receiver));
    if (route === undefined || this.#waiting >= mostWaiting) {
      log.error({ to: nameOf(receiver), event: news.event }, "too much waits to be told: this is dropped");
      this.#count("lost");
      return;
    }
    this.#waiting += 1;
    void this.#putting.run(() => this.#put(route, news, id));
  }

  /** Settles when all that was handed over is on disk, or cannot be. */
  stored(): Promise<void> {
    return this.#putting.idle();
  }

  /** Takes over what processes that are gone have not delivered: it comes before what is new. Failures are logged. */
  takeOver(): Promise<void> {
    this.#takingOver = this.#takeOver();
    return this.#takingOver;
  }

  /** Settles when all has been put on disk and tried, or after `graceMs`: then the next process goes on. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const routes = [...this.#routes.values()];
    const tried = async () => {
      await this.#putting.idle();
      for (const route of routes) await route.going;
    };
    await waitAtMost(tried(), graceMs);
    this.#ended.abort();
    await this.#putting.idle();
    for (const route of routes) await route.going;
  }

  async #takeOver(): Promise<void> {
    try {
      const left = await this.#outbox.takeOver(new Set(this.#routes.keys()));
      this.#waiting += left.length;
      for (const [to, route] of this.#routes) {
        const letters = left.filter((letter) => letter.to === to);
        // Behind the one that is being delivered, if there is one.
        route.waiting.splice(route.isDelivering ? 1 : 0, 0, ...letters);
        if (letters.length > 0) this.#wake(route);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  async #put(route: Route, news: News, id: string): Promise<void> {
    const { receiver } = route;
    const { event, ...facts } = news;
    const said = { id, event, at: new Date(timeIn(id)).toISOString(), ...facts };
    const text = JSON.stringify(said);
    const bare = () => JSON.stringify({ ...said, content: undefined, isCut: true });
    const letter = { id, to: addressOf(receiver), body: text.length > mostChars ? bare() : text };
    const hasSecrets = this.#options.keepsContent === false && facts["content"] !== undefined;
    try {
      if (await this.#outbox.put(hasSecrets ? { ...letter, body: bare() } : letter))
        return this.#enqueue(route, letter);
      this.#options.log.error({ to: nameOf(receiver), event }, "the outbox is full: this is dropped");
      this.#count("lost");
    } catch (error) {
      this.#failed(error);
      // It cannot be kept: it is tried all the same.
      return this.#enqueue(route, letter);
    }
    this.#waiting -= 1;
  }

  #enqueue(route: Route, letter: Letter): void {
    route.waiting.push(letter);
    this.#wake(route);
  }

  #wake(route: Route): void {
    route.going ??= this.#takingOver.then(() => this.#go(route));
  }

  async #go(route: Route): Promise<void> {
    route.isDelivering = true;
    try {
      for (let letter = route.waiting[0]; letter !== undefined; letter = route.waiting[0]) {
        if (!(await this.#delivered(route.receiver, letter))) return;
        route.waiting.shift();
        this.#waiting -= 1;
        await this.#outbox.done(letter).catch((error: unknown) => this.#failed(error));
      }
    } finally {
      // At once, so that nothing comes between and is not seen.
      route.going = undefined;
      route.isDelivering = false;
    }
  }

  /** Whether nothing more is to be done about it. */
  async #delivered(receiver: Receiver, letter: Letter): Promise<boolean> {
    const { log, backoffMs = 1000 } = this.#options;
    const about = { to: nameOf(receiver), letter: letter.id };
    for (let tries = 1; ; tries += 1) {
      if (this.#ended.signal.aborted) return false;
      const reason = await this.#tried(receiver, letter);
      this.#count(reason === undefined ? "taken" : "refused");
      if (reason === undefined) return true;
      if (tries === mostTries || ageOf(letter) > uselessMs) {
        log.error({ ...about, reason, tries }, "a receiver did not take what it was told: it is given up");
        this.#count("lost");
        return true;
      }
      log.warn({ ...about, reason, tries }, "a receiver did not take what it was told: it is tried again");
      if (this.#isClosing) return false;
      await pause(backoffMs * 2 ** (tries - 1), this.#ended.signal);
    }
  }

  #tried(receiver: Receiver, { id, body }: Letter): Promise<string | undefined> {
    const { run, post = "", headers = {}, timeoutMs } = receiver;
    const { signal } = this.#ended;
    const { withheld = [] } = this.#options;
    if (run !== undefined) return runCommand({ command: run, body, timeoutMs, withheld, signal });
    return postJson({ url: post, headers, id, body, timeoutMs, signal });
  }

  #count(outcome: "taken" | "refused" | "lost"): void {
    (this.#options.meter ?? noMeter).add("told", outcome);
  }

  #failed(error: unknown): void {
    const reason = systemCodeOf(error) ?? reasonOf(error);
    this.#options.log.error({ reason }, "the outbox of what is to be told cannot be used");
  }
}

function ageOf({ id }: Letter): number {
  return Date.now() - timeIn(id);
}
