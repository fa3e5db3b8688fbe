/** What an editor draws of a session, and beside it of each of its subagents. */
import type { Fields, Update } from "../e2e/harness/wire.ts";
import { Drawing } from "./drawing.ts";

export class Drawings {
  readonly #own: Drawing;
  /** In the order in which they were announced: what they are called is the sidecar's choice. */
  readonly #children = new Map<string, Drawing>();

  constructor(own = new Drawing()) {
    this.#own = own;
  }

  prompted(blocks: readonly Fields[]): void {
    this.#own.prompted(blocks);
  }

  answered(): void {
    this.#own.answered();
  }

  take(update: Update): void {
    const { sessionUpdate, sessionId } = update;
    if (sessionUpdate !== "subagent_update") return this.#own.take(update);
    const id = String(sessionId);
    if (!this.#children.has(id)) this.#children.set(id, new Drawing());
    this.#own.take({ ...update, sessionId: [...this.#children.keys()].indexOf(id) });
  }

  /** What a subagent says, if it is one of this session's. */
  takeOf(sessionId: string, update: Update): void {
    this.#children.get(sessionId)?.take(update);
  }

  result(): unknown {
    return {
      own: this.#own.result(),
      children: Array.from(this.#children.values(), (child) => child.result()),
    };
  }

  /** So much of the top of it, to be gone on with, by others than these subagents. */
  copy(): Drawings {
    const copy = new Drawings(this.#own.copy());
    for (const child of this.#children.values())
      copy.#children.set(`inherited ${copy.#children.size}`, child.copy());
    return copy;
  }
}
