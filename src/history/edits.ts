/** The wordings that a prompt has had, as a conversation is told: those before it, where one stands in their place. */
import { beginningOf } from "../base/beginning.ts";
import type { Happening, Said } from "../session/happenings.ts";
import { textOf } from "../acp/content.ts";
import type { Rewind } from "../store/contract.ts";

/** A prompt that was said anew: the beginning of it, on one line or several. */
export interface Wording {
  readonly seq: number;
  readonly atMs: number;
  readonly text: string;
  readonly isCut: boolean;
}

/** What is longer is read where it stands. */
const maxChars = 400;

/** Told all happenings of a session, also those that do not count. Holds prompts only where the session went back to. */
export class Edits {
  readonly #targets: ReadonlySet<number>;
  /** By the last entry of the conversation before them. */
  readonly #byPlace = new Map<number, Wording[]>();
  /** Of prompts that somebody went back to just before: what that place was. */
  readonly #placeOf = new Map<number, number>();
  #place = 0;

  constructor(rewinds: readonly Rewind[]) {
    this.#targets = new Set(rewinds.map(({ toSeq }) => toSeq));
  }

  /** The earlier wordings of a prompt that counts, in order; none of anything else. */
  before(happening: Happening, counts: boolean): readonly Wording[] {
    const { type, seq, turn, child } = happening;
    if (child !== undefined || type === "state" || type === "set" || type === "summary") return [];
    if (type === "rewind") {
      this.#place = this.#placeOf.get(happening.toSeq + 1) ?? happening.toSeq;
      return [];
    }
    const earlier = type === "said" && seq === turn ? this.#prompt(happening, counts) : [];
    this.#place = seq;
    return earlier;
  }

  #prompt(said: Said, counts: boolean): readonly Wording[] {
    const place = this.#place;
    const known = this.#byPlace.get(place) ?? [];
    const isLeft = this.#targets.has(said.seq - 1) || this.#targets.has(place);
    if (known.length === 0 && !isLeft) return [];
    const earlier = counts ? [...known] : [];
    this.#placeOf.set(said.seq, place);
    this.#byPlace.set(place, known);
    known.push(wordingOf(said));
    return earlier;
  }
}

function wordingOf({ seq, atMs, content }: Said): Wording {
  const text = textOf({ content });
  return { seq, atMs, text: beginningOf(text, maxChars), isCut: text.length > maxChars };
}
