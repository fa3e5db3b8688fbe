/** What a session is called until somebody gives it a name. */
import { ownText } from "../base/beginning.ts";
import { isRecord } from "../base/json.ts";

/** Longest title, in characters. */
const maxTitleChars = 80;

/** A session's title until its agent gives it one: the first line of the first prompt. */
export function titleOf(prompt: readonly unknown[]): string | undefined {
  for (const block of prompt) {
    const isText = isRecord(block) && block.type === "text" && typeof block.text === "string";
    const line = isText ? firstLine(block.text as string) : "";
    if (line !== "") return ownText(shortened(line));
  }
  return undefined;
}

/** Cut between characters: half of one is no text. */
function shortened(line: string): string {
  const chars = Array.from(line);
  return chars.length <= maxTitleChars
    ? line
    : `${chars
        .slice(0, maxTitleChars - 1)
        .join("")
        .trimEnd()}…`;
}

function firstLine(text: string): string {
  const start = text.trimStart().slice(0, 1000);
  return (start.split("\n", 1)[0] ?? "").replace(/\s+/g, " ").trim();
}
