/** What stands in a message of Codex. */
import { wordsOf } from "../../../acp/content.ts";
import { isRecord, type Json } from "../../../base/json.ts";
import { listIn, textIn } from "../records.ts";

/** How what the program puts in itself begins. */
const injected = [
  "<environment_context>",
  "<user_instructions>",
  "<permissions instructions>",
  "<collaboration_mode>",
  "<apps_instructions>",
  "<skills_instructions>",
  "<plugins_instructions>",
  "<turn_aborted>",
  "<subagent_notification>",
  "<user_shell_command>",
  "<user_action>",
  "<skill>",
  "<INSTRUCTIONS>",
  "# AGENTS.md instructions",
  "Warning: apply_patch was requested via",
];

export function isInjected(text: string): boolean {
  const start = text.trimStart().slice(0, 100);
  return injected.some((each) => start.startsWith(each));
}

/** Content of an item as blocks of ACP: text, and images that it holds itself. */
export function blocksIn(content: readonly unknown[]): Json[] {
  return content.flatMap((part): Json[] => {
    if (typeof part === "string") return [{ type: "text", text: part }];
    if (!isRecord(part)) return [];
    const text = textIn(part, "text");
    if (text !== undefined) return text === "" ? [] : [{ type: "text", text }];
    const image = textIn(part, "image_url");
    return image === undefined ? [] : [imageOf(image)];
  });
}

function imageOf(url: string): Json {
  const comma = url.indexOf(",");
  const head = url.slice(0, Math.min(comma, 100));
  if (url.startsWith("data:") && head.endsWith(";base64"))
    return {
      type: "image",
      mimeType: head.slice("data:".length, -";base64".length),
      data: url.slice(comma + 1),
    };
  return { type: "resource_link", uri: url, name: "image" };
}

/** The summary that stands in the place of what was before is the last thing in it. */
export function lastWordsIn(history: readonly unknown[]): string | undefined {
  const last = history.at(-1);
  const text = isRecord(last) ? wordsOf(blocksIn(listIn(last, "content"))) : "";
  return text === "" ? undefined : text;
}

export function between(text: string, open: string, close: string): string | undefined {
  const from = text.indexOf(open);
  const to = from < 0 ? -1 : text.indexOf(close, from);
  return to < 0 ? undefined : text.slice(from + open.length, to);
}
