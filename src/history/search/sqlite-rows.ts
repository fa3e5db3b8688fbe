/** How rows of the index stand for messages. */

/** Entries in a stretch: few, so that the numbers of neighbouring messages are near one another and take few bytes. */
export const spanLength = 4096;

/** Which stretch of its session an entry is in. */
export function partOf(seq: number): number {
  return Math.floor(seq / spanLength);
}

/** The number of a message. @param span of its stretch */
export function rowIdOf(span: number, seq: number): number {
  return span * spanLength + (seq % spanLength);
}
