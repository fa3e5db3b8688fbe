/** A turn as it is told to whoever asked for it: its updates as events, and its end. */
import { problemOf } from "../problems.ts";
import { frameOf } from "../events/frame.ts";
import type { Listener } from "./attachment.ts";
import type { OpenPermission } from "./permissions.ts";

/** What a slow reader has not read yet; the journal has what is more. */
const mostBytes = 4 << 20;
/** So long it is waited for what comes first: a refusal is told by its status. */
const beginMs = 1000;

export class ToldTurn implements Listener {
  #frames: Uint8Array[] = [];
  #bytes = 0;
  #missed = 0;
  #count = 0;
  #isOver = false;
  #failed: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  update(update: unknown): void {
    this.#push("update", update);
  }

  permission(asked: OpenPermission): void {
    this.#push("permission", asked);
  }

  ended(answer: object): void {
    this.#isOver = true;
    this.#push("end", answer, true);
  }

  failed(error: unknown): void {
    this.#isOver = true;
    if (this.#count === 0) this.#failed = { error };
    this.#push("error", problemOf(error), true);
  }

  /** Settles when something came, or after a while. Errors: what the turn failed with before it had said anything. */
  async begun(): Promise<void> {
    if (this.#frames.length === 0) await this.#more(beginMs);
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frames = this.#frames;
      [this.#frames, this.#bytes] = [[], 0];
      if (frames.length > 0) yield Buffer.concat(frames);
      else if (this.#isOver) return;
      else await this.#more();
    }
  }

  #push(event: string, data: unknown, isLast = false): void {
    if (this.#bytes > mostBytes && !isLast) {
      this.#missed += 1;
      return;
    }
    if (this.#missed > 0) this.#add("missed", { updates: this.#missed });
    this.#missed = 0;
    this.#add(event, data);
    this.#wake();
  }

  #add(event: string, data: unknown): void {
    this.#count += 1;
    const { bytes } = frameOf(event, `${this.#count}`, data);
    this.#frames.push(bytes);
    this.#bytes += bytes.length;
  }

  #more(withinMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
