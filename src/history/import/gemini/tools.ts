/** Tool calls of Gemini CLI, as ACP shows them. */
import { isRecord, type Json } from "../../../base/json.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { titleFrom, type PlanItem, type ToolFields } from "../scribe.ts";
import { wordsOf } from "../../../acp/content.ts";
import { partsIn } from "./parts.ts";

const kinds: Readonly<Record<string, string>> = {
  read_file: "read",
  read_many_files: "read",
  write_file: "edit",
  replace: "edit",
  run_shell_command: "execute",
  glob: "search",
  grep_search: "search",
  search_file_content: "search",
  list_directory: "search",
  web_fetch: "fetch",
  google_web_search: "fetch",
  save_memory: "think",
};

export function shownCall(
  name: string,
  call: Fields,
): Pick<ToolFields, "kind" | "title" | "rawInput" | "locations"> {
  const args = recordIn(call, "args") ?? {};
  const path = textIn(args, "file_path") ?? textIn(args, "absolute_path") ?? textIn(args, "path");
  const command = textIn(args, "command");
  const about = command ?? textIn(call, "description") ?? path ?? "";
  const title = command ?? [textIn(call, "displayName") ?? name, about].filter(Boolean).join(" ");
  return {
    kind: kinds[name] ?? "other",
    title: titleFrom(title, 200) ?? name,
    rawInput: args,
    ...(path !== undefined && { locations: [{ path }] }),
  };
}

export function isPlanTool(name: string): boolean {
  return name === "write_todos";
}

export function planOf(args: Fields): PlanItem[] {
  return listIn(args, "todos").flatMap((todo): PlanItem[] => {
    const content = isRecord(todo) ? textIn(todo, "description") : undefined;
    if (content === undefined || !isRecord(todo)) return [];
    const { status } = todo;
    return [{ content, status: status === "in_progress" || status === "completed" ? status : "pending" }];
  });
}

/** What it gave back: a change that was shown, or text. */
export function outputOf(call: Fields): { status: "completed" | "failed" | "pending"; content: Json[] } {
  const told = textIn(call, "status");
  const status =
    told === "success" ? "completed" : told === "error" || told === "cancelled" ? "failed" : "pending";
  const shown = call["resultDisplay"];
  if (isRecord(shown)) {
    const path = textIn(shown, "filePath") ?? textIn(shown, "fileName");
    const newText = textIn(shown, "newContent");
    if (path !== undefined && newText !== undefined)
      return {
        status,
        content: [{ type: "diff", path, oldText: textIn(shown, "originalContent") ?? null, newText }],
      };
  }
  const text = resultIn(call["result"]) || (typeof shown === "string" ? shown : "");
  return { status, content: text === "" ? [] : [{ type: "content", content: { type: "text", text } }] };
}

function resultIn(result: unknown): string {
  const texts = (Array.isArray(result) ? result : [result]).map((part) => {
    const response = isRecord(part)
      ? recordIn(recordIn(part, "functionResponse") ?? {}, "response")
      : undefined;
    if (response === undefined) return wordsOf(partsIn(part));
    return textIn(response, "output") ?? textIn(response, "error") ?? "";
  });
  return texts.join("");
}

export function usageOf(tokens: Fields): Json {
  const count = (name: string) => {
    const value = tokens[name];
    return Number.isSafeInteger(value) ? (value as number) : 0;
  };
  return {
    totalTokens: count("total"),
    inputTokens: count("input"),
    outputTokens: count("output"),
    cachedReadTokens: count("cached"),
    thoughtTokens: count("thoughts"),
  };
}
