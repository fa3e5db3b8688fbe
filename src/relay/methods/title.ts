/** A session's title until its agent gives it one: the first line of the first prompt. */

const maxTitleChars = 80;

export function titleOf(
  prompt: readonly { readonly type: string; readonly [field: string]: unknown }[],
): string | undefined {
  for (const block of prompt) {
    const line = block.type === "text" && typeof block.text === "string" ? firstLine(block.text) : "";
    if (line !== "") return shortened(line);
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
