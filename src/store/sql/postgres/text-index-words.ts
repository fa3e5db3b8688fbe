/** What the server keeps of a message's words, and how it is asked for them. */
import type { Asked, Wanted, WantedWord } from "../../text-index.ts";

/** The server takes 2,046 bytes. */
const longestWord = 500;
/** A message's different words may take a megabyte on the server. */
const mostBytes = 900_000;
/** In the place of the words of a message that has more: it is proposed whatever is asked for, and its text decides. */
const tooMany = "\ue000many";

/** Each word once, with spaces between them. */
export function keptWords(words: string): string {
  const found = new Set<string>();
  for (const [word] of words.matchAll(/[A-Za-z0-9\u0080-\uffff]+/g)) found.add(kept(word));
  const all = [...found].join(" ");
  return Buffer.byteLength(all) > mostBytes ? tooMany : all;
}

/** As the other index does it: it knows no case of these letters. */
function kept(word: string): string {
  return word.slice(0, longestWord).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function tsquery({ wanted, unwanted }: Pick<Asked, "wanted" | "unwanted">): string {
  const none = unwanted.map((word) => ` & !${wordText(word)}`).join("");
  return `(${textOf(wanted)}${none}) | '${tooMany}'`;
}

function textOf(wanted: Wanted): string {
  if ("word" in wanted) return wordText(wanted);
  return "all" in wanted
    ? `(${wanted.all.map(textOf).join(" & ")})`
    : `(${wanted.any.map(textOf).join(" | ")})`;
}

function wordText({ word, isPrefix }: WantedWord): string {
  const quoted = `'${kept(word).replace(/['\\]/g, "$&$&")}'`;
  return isPrefix ? `${quoted}:*` : quoted;
}

/** Texts of the server have no NUL and no halves of characters. */
export function storable(text: string): string {
  return text.replaceAll("\0", "\ufffd").replace(/\p{Surrogate}/gu, "\ufffd");
}
