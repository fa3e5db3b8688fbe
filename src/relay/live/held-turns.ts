/** Turns of a replay that may be news, held until that is clear. */
import { charsOf, type ArrivedUpdate } from "../../acp/updates.ts";
import { fromAgent } from "./origin.ts";

/** No more than this is held. */
const maxChars = 4 << 20;

export class HeldTurns {
  #turns: { readonly key: string; readonly updates: ArrivedUpdate[] }[] = [];
  #chars = 0;

  get isEmpty(): boolean {
    return this.#turns.length === 0;
  }

  get isFull(): boolean {
    return this.#chars > maxChars;
  }

  /** By what the user said in them. */
  get keys(): string[] {
    return this.#turns.map(({ key }) => key);
  }

  begin(key: string): void {
    this.#turns.push({ key, updates: [] });
  }

  /** To the turn that was begun last. */
  add(update: ArrivedUpdate): void {
    this.#turns.at(-1)?.updates.push(update);
    this.#chars += charsOf(update);
  }

  /** The turn that was begun last is known after all. */
  dropLast(): void {
    this.#turns.pop();
  }

  /** All of it, marked as said in the agent's own program; nothing is held any more. */
  release(): ArrivedUpdate[] {
    const all = this.#turns.flatMap(({ updates }) => updates.map(fromAgent));
    this.clear();
    return all;
  }

  clear(): void {
    this.#turns = [];
    this.#chars = 0;
  }
}
