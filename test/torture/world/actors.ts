/** Several who act at the same time, each one thing after the other, until they are stopped or one fails. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "./random.ts";

export class Actors {
  readonly #running: Promise<void>[] = [];
  #isOver = false;
  #failure: Error | undefined;

  start(count: number, random: Random, act: (chance: Random) => Promise<void>): void {
    for (let actor = 1; actor <= count; actor += 1) {
      this.#running.push(this.#run(random.part(`actor ${actor}`), act));
    }
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Lets them act for a time, or until one fails. Fails as an actor has failed. */
  async forSeconds(seconds: number): Promise<void> {
    const untilMs = performance.now() + seconds * 1000;
    while (performance.now() < untilMs && !this.#isOver) await delay(Math.min(100, seconds * 1000));
    this.check();
  }

  /** Fails as an actor has failed. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Settles when each has ended what it was at. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
    this.check();
  }

  async #run(chance: Random, act: (chance: Random) => Promise<void>): Promise<void> {
    try {
      while (!this.#isOver) await act(chance);
    } catch (error) {
      this.#isOver = true;
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
    }
  }
}
