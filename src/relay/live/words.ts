/** What was said, as digests: to compare long histories without holding their texts. White space does not count. */
import { createHash } from "node:crypto";
import { isRecord, textOr, type Json } from "../../base/json.ts";

/** A block of a message: its text, or what a block without text is known by. */
export interface Part {
  readonly text?: string;
  readonly token?: string;
}

export function partOf(content: Json): Part {
  if (!isRecord(content)) return { token: "" };
  if (content.type === "text" && typeof content.text === "string") return { text: content.text };
  const source = isRecord(content.resource) ? content.resource : content;
  const known = source.uri ?? source.data;
  return { token: `${textOr(content.type, "")} ${textOr(known, "")}` };
}

function textsIn(parts: readonly Part[]): string[] {
  return parts.flatMap(({ text = "" }) => (text.trim() === "" ? [] : [text]));
}

/** By which a message is known. */
export function keyOf(parts: readonly Part[]): string {
  const texts = textsIn(parts);
  if (texts.length > 0) return digestOf(texts.join(""));
  return digestOf(`blocks ${parts.flatMap(({ token = [] }) => token).join(" ")}`);
}

/** The same when it may be told without its other blocks: some agents leave out all but the last. */
export function keysOf(parts: readonly Part[]): string[] {
  const last = textsIn(parts).at(-1);
  return [...new Set([keyOf(parts), ...(last === undefined ? [] : [digestOf(last)])])];
}

/** A slash command: a word behind a slash, and not a path. */
export function isCommand([first]: readonly unknown[]): boolean {
  if (!isRecord(first) || first.type !== "text") return false;
  return typeof first.text === "string" && /^\s*\/[\w:.-]+(\s|$)/.test(first.text);
}

export function digestOf(text: string): string {
  return new Digest().add(text).result;
}

/** So much of the beginning of a text is known to the letter. */
const maxOpeningChars = 64;

/** What is kept of a text that was said. */
export interface Said {
  readonly result: string;
  /** Characters that count. */
  readonly chars: number;
  readonly opening: string;
}

/** Whether a text may be this one, or this one cut off somewhere: so it is, as far as is known. */
export function mayBeginOf({ result, chars, opening }: Said, whole: Said | undefined): boolean {
  if (whole === undefined) return false;
  return result === whole.result || (chars < whole.chars && whole.opening.startsWith(opening));
}

/** The digest of a text that comes in pieces. */
export class Digest implements Said {
  readonly #hash = createHash("sha1");
  chars = 0;
  opening = "";

  add(text: string): this {
    const squeezed = text.replace(/\s+/g, "");
    this.chars += squeezed.length;
    if (this.opening.length < maxOpeningChars)
      this.opening = (this.opening + squeezed).slice(0, maxOpeningChars);
    this.#hash.update(squeezed);
    return this;
  }

  get result(): string {
    return this.#hash.copy().digest("base64").slice(0, 16);
  }

  /** All of it, as it is now. */
  get kept(): Said {
    return { result: this.result, chars: this.chars, opening: this.opening };
  }
}
