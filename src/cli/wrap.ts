/** Text broken at spaces to a width. */

/** How wide a text is; its length, where it is our own. */
export type Measure = (text: string) => number;

const lengthOf: Measure = (text) => text.length;

/**
 * Lines of at most `width`, broken at spaces; a word that is wider stands alone in its line. Lines behind the first
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
