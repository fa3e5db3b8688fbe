/** Comments in the configuration file: people write them, and JSON has none. */

/** A string, a comment, or one character of what else there is; none of them is begun twice at one place. */
const token = /"(?:[^"\\\n]|\\.)*"?|\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|[^]/g;

/**
 * The text with spaces in the place of comments (two slashes, or slash and star) and of a comma after the last value,
 * so that a place in it is still the place in the file.
 */
export function withoutComments(text: string): string {
  const parts: string[] = [];
  /** The place among the parts of a comma that nothing has followed yet, if a value stood before it. */
  let comma: number | undefined;
  let last = "";
  for (const [part] of text.matchAll(token)) {
    const isComment = part.startsWith("//") || part.startsWith("/*");
    if ((part === "}" || part === "]") && comma !== undefined) parts[comma] = " ";
    if (!isComment && !/^\s$/.test(part)) {
      comma = part === "," && last !== "" && !"{[,:".includes(last) ? parts.length : undefined;
      last = part;
    }
    parts.push(isComment ? part.replace(/[^\n]/g, " ") : part);
  }
  return parts.join("");
}
