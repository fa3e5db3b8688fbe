/** What is asked of an index in the language of FTS5. */
import type { Asked, Wanted, WantedWord } from "../../store/text-index.ts";

export function fts5Text({ wanted, unwanted }: Pick<Asked, "wanted" | "unwanted">): string {
  return `${textOf(wanted)}${unwanted.map((word) => ` NOT ${wordText(word)}`).join("")}`;
}

function textOf(wanted: Wanted): string {
  if ("word" in wanted) return wordText(wanted);
  return "all" in wanted
    ? `(${wanted.all.map(textOf).join(" AND ")})`
    : `(${wanted.any.map(textOf).join(" OR ")})`;
}

/** No word holds a quote. */
function wordText({ word, isPrefix }: WantedWord): string {
  return isPrefix ? `"${word}" *` : `"${word}"`;
}
