/** Blocks of content as Markdown. */
import { textOf } from "../../acp/content.ts";
import { isRecord, textOr, type Json } from "../../base/json.ts";

/** Text as it is; what a prompt brought with it is named, and its text is a code block. */
export function markdownOfBlock(block: Json): string {
  if (!isRecord(block)) return "";
  if (block.type === "resource_link") return `\n\n${name(block.uri)}\n\n`;
  const { resource } = block;
  if (block.type !== "resource" || !isRecord(resource)) return textOf({ content: [block] });
  const { uri, text } = resource;
  return typeof text === "string" ? `\n\n${name(uri)}\n${fenced(text)}\n` : `\n\n${name(uri)}\n\n`;
}

/** A code block that nothing in it can end. */
export function fenced(text: string, language = ""): string {
  let longest = 2;
  for (const [run] of text.matchAll(/`{3,}/g)) longest = Math.max(longest, run.length);
  const fence = "`".repeat(longest + 1);
  return `\n${fence}${language}\n${text}${text.endsWith("\n") ? "" : "\n"}${fence}\n`;
}

function name(uri: unknown): string {
  return `\`${textOr(uri, "").replace(/[`\r\n]/g, "")}\``;
}
