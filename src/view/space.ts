/** The empty space that stands for what is not in the page, above and below what is. */
import { h } from "./elements.ts";

/** No browser has elements that are much taller. */
const maxPx = 8_000_000;
const guessedPx = 120;

/** Which part of a conversation is in the page. */
export interface Extent {
  /** The entry before which there is more; undefined at the beginning. */
  readonly before: number | undefined;
  /** All up to this entry is in the page, or before it. */
  readonly after: number;
  readonly isMoreAfter: boolean;
  readonly headSeq: number;
}

export class Space {
  readonly above = h("div", { class: "space" });
  readonly below = h("div", { class: "space" });
  #pxPerSeq = 0;

  get isMeasured(): boolean {
    return this.#pxPerSeq > 0;
  }

  /** How much an entry takes: once for a conversation, so that places stay. @param px what `entries` of them take */
  measure(px: number, entries: number, headSeq: number): void {
    if (this.isMeasured) return;
    const each = entries > 0 && px > 0 ? px / entries : guessedPx;
    this.#pxPerSeq = Math.min(each, maxPx / Math.max(1, headSeq));
  }

  fit({ before, after, isMoreAfter, headSeq }: Extent): void {
    const above = before === undefined ? 0 : Math.max(0, before - 1) * this.#pxPerSeq;
    const below = isMoreAfter ? Math.max(1, headSeq - after) * this.#pxPerSeq : 0;
    this.above.style.height = `${above}px`;
    this.below.style.height = `${below}px`;
  }

  /** Which entry would stand at a height of the scroller, above or below what is in the page. */
  seqAt(top: number, { after, headSeq }: Extent): number {
    const isBelow = top >= this.below.offsetTop;
    const px = isBelow ? after * this.#pxPerSeq + (top - this.below.offsetTop) : top;
    return Math.min(headSeq, Math.max(0, Math.floor(px / this.#pxPerSeq)));
  }
}
