/**
 * Secrets by what they are: the values that we were given. Agents quote them, in whatever they write; they are taken
 * out of all that leaves us besides the conversation: logs, errors, the agent's stderr.
 */
import { hidden } from "./redact.ts";
import { valuesIn } from "./secret-values.ts";

/** Beyond so many the oldest are forgotten. */
const maxValues = 2000;

export class Secrets {
  /** The longest first: one may be a part of another. */
  #values: string[] = [];
  /** In the order in which they were learned. */
  readonly #known = new Set<string>();

  /** Takes note of what is secret in params: environments, headers, tokens, passwords in URLs and in arguments. */
  learn(params: unknown): void {
    this.#add(valuesIn(params));
  }

  /** Takes note of what a person has answered. */
  learnAnswer(answer: unknown): void {
    this.#add(valuesIn({ env: answer }));
  }

  /** The text without them. */
  hide(text: string): string {
    let safe = text;
    for (const value of this.#values) if (safe.includes(value)) safe = safe.replaceAll(value, hidden);
    return safe;
  }

  /** The same for the beginning of a longer text: what may be the beginning of a secret at its end is left out. */
  hideCut(text: string): string {
    return this.hide(text.slice(0, this.#heldFrom(text)));
  }

  /** The same for a text that comes in pieces. What may be the beginning of a secret waits for what comes next. */
  inPieces(): { readonly push: (text: string) => string; readonly end: () => string } {
    let rest = "";
    return {
      push: (text) => {
        const all = rest + text;
        const end = this.#heldFrom(all);
        rest = all.slice(end);
        return this.hide(all.slice(0, end));
      },
      end: () => {
        const last = rest;
        rest = "";
        return this.hide(last);
      },
    };
  }

  #add(values: Iterable<string>): void {
    let isNew = false;
    for (const value of values) {
      isNew ||= !this.#known.has(value);
      this.#known.delete(value);
      this.#known.add(value);
    }
    if (!isNew) return;
    for (const oldest of this.#known) {
      if (this.#known.size <= maxValues) break;
      this.#known.delete(oldest);
    }
    this.#values = [...this.#known].sort((a, b) => b.length - a.length);
  }

  /** From where on the text may be the beginning of a secret; never in the middle of one. */
  #heldFrom(text: string): number {
    let from = text.length;
    for (const value of this.#values) from = Math.min(from, beginningOf(value, text));
    for (let before = -1; before !== from;) {
      before = from;
      for (const value of this.#values) {
        const at = text.indexOf(value, Math.max(0, from - value.length + 1));
        if (at >= 0 && at < from) from = at;
      }
    }
    return from;
  }
}

/** Where the longest end of `text` starts that is a beginning of `value`, but not all of it; else the text's end. */
function beginningOf(value: string, text: string): number {
  const first = value.charAt(0);
  for (let at = Math.max(0, text.length - value.length + 1); ; at += 1) {
    at = text.indexOf(first, at);
    if (at < 0) return text.length;
    if (value.startsWith(text.slice(at))) return at;
  }
}
