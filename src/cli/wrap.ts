/** Text broken at spaces to a width. */

import { pieces, widthOf } from "./width.ts";

/** How wide a text is; its length, where it is our own. */
type Measure = (text: string) => number;

const lengthOf: Measure = (text) => text.length;

/**
 * Lines of at most `width`, broken at spaces; a word that is wider stands alone in its line. Lines after the first
 * begin with `indent`.
 */
export function wrapped(text: string, width: number, indent = "", measure: Measure = lengthOf): string[] {
  const lines: string[] = [];
  const [first = "", ...words] = text.split(" ");
  let line = first;
  let taken = measure(first);
  for (const word of words) {
    const wide = measure(word);
    if (taken + 1 + wide <= width) {
      line += ` ${word}`;
      taken += 1 + wide;
    } else {
      lines.push(line);
      line = indent + word;
      taken = indent.length + wide;
    }
  }
  return [...lines, line];
}

/** The same for text from outside, wide characters counted: what is too wide for a line is cut. */
export function inRoom(text: string, room: number, indent = ""): string[] {
  // No text has more columns than twice its characters.
  if (text.length * 2 <= room || widthOf(text) <= room) return [text];
  return wrapped(text, room, indent, widthOf).flatMap((line) =>
    widthOf(line) <= room ? [line] : pieces(line, room),
  );
}
