/** Tool calls of Codex, as ACP shows them. */
import { isRecord, objectIn, type Json } from "../../../base/json.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { titleFrom, type PlanItem, type ToolFields } from "../scribe.ts";
import { changesIn } from "./patch.ts";

export interface ShownCall {
  /** A list of steps is a plan. */
  readonly plan?: readonly PlanItem[];
  readonly status?: "completed" | "failed";
  readonly fields: Pick<ToolFields, "title" | "kind" | "rawInput" | "content" | "locations">;
}

const executing: ReadonlySet<string> = new Set([
  "shell",
  "shell_command",
  "exec_command",
  "container.exec",
  "local_shell",
  "write_stdin",
]);

export function shownCall(type: string, item: Fields): ShownCall {
  if (type === "web_search_call") return webSearch(item);
  if (type === "local_shell_call") return command("local_shell", recordIn(item, "action") ?? {});
  const name = textIn(item, "name") ?? type;
  const input = textIn(item, "input");
  if (name === "apply_patch" && input !== undefined) return patch(input, input);
  const given = textIn(item, "arguments") ?? input ?? "";
  const fields = objectIn(given);
  if (fields === undefined) return { fields: { title: name, kind: "other", rawInput: given } };
  if (name === "update_plan") return { plan: planIn(fields), fields: {} };
  if (name === "apply_patch") return patch(textIn(fields, "input") ?? "", fields);
  if (executing.has(name)) return command(name, fields);
  const kind = name === "view_image" ? "read" : "other";
  const path = textIn(fields, "path");
  const title = titleFrom([name, path].filter(Boolean).join(" "), 200) ?? name;
  return { fields: { title, kind, rawInput: fields, ...(path !== undefined && { locations: [{ path }] }) } };
}

function command(name: string, fields: Fields): ShownCall {
  const given = fields["command"] ?? fields["cmd"];
  const words = Array.isArray(given) ? given.filter((word) => typeof word === "string") : [];
  // A shell that is given a script is not what is of interest.
  const script = words.length === 3 && /^-l?c$/.test(words[1] ?? "") ? words[2] : words.join(" ");
  const text = typeof given === "string" ? given : (script ?? "");
  const start = text.trimStart();
  if (start.startsWith("apply_patch") || words[0] === "apply_patch") {
    const from = text.indexOf("*** Begin Patch");
    if (from >= 0) return patch(text.slice(from), fields);
  }
  return { fields: { title: titleFrom(text, 200) ?? name, kind: "execute", rawInput: fields } };
}

function patch(text: string, rawInput: unknown): ShownCall {
  const content = changesIn(text);
  const paths = [...new Set(content.map(({ path }) => path))];
  const title = titleFrom(`Edit ${paths.join(", ")}`, 200) ?? "Edit";
  const locations = paths.map((path) => ({ path }));
  return {
    fields: { title, kind: "edit", rawInput, content: content as unknown as readonly Json[], locations },
  };
}

function webSearch(item: Fields): ShownCall {
  const action = recordIn(item, "action") ?? {};
  const query = textIn(action, "query") ?? textIn(action, "url") ?? "";
  const fields = { title: titleFrom(`Search ${query}`, 200) ?? "Search", kind: "fetch", rawInput: action };
  return { status: "completed", fields };
}

function planIn(fields: Fields): PlanItem[] {
  return listIn(fields, "plan").flatMap((step): PlanItem[] => {
    const content = isRecord(step) ? textIn(step, "step") : undefined;
    if (content === undefined || !isRecord(step)) return [];
    const { status } = step;
    return [{ content, status: status === "in_progress" || status === "completed" ? status : "pending" }];
  });
}

/** What a tool gave back: a text, or a text with its exit code in JSON, or blocks. */
export function outputOf(output: unknown): { status: "completed" | "failed"; content: Json[] } {
  const given = isRecord(output)
    ? output
    : typeof output === "string"
      ? (toldIn(output) ?? { content: output })
      : {};
  const exitCode = (recordIn(given, "metadata") ?? {})["exit_code"];
  const inner = Array.isArray(output)
    ? output
    : (given["output"] ?? given["content"] ?? given["content_items"]);
  const texts = (Array.isArray(inner) ? inner : [inner]).map((part) =>
    typeof part === "string"
      ? part
      : isRecord(part)
        ? (textIn(part, "text") ?? `[${textIn(part, "type") ?? "?"}]`)
        : "",
  );
  const text = texts.join("");
  const hasFailed =
    given["success"] === false ||
    (Number.isFinite(exitCode) && exitCode !== 0) ||
    /^Exit code: [1-9-]/.test(text);
  const content = text === "" ? [] : [{ type: "content", content: { type: "text", text } }];
  return { status: hasFailed ? "failed" : "completed", content };
}

/** The form of a shell's answer in which the exit code stands beside the text. */
function toldIn(text: string): Fields | undefined {
  if (!text.startsWith('{"output":') && !text.startsWith('{"metadata":')) return undefined;
  return objectIn(text);
}

export function usageOf(last: Fields): Json {
  const count = (name: string) => {
    const value = last[name];
    return Number.isSafeInteger(value) ? (value as number) : 0;
  };
  return {
    totalTokens: count("total_tokens"),
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    cachedReadTokens: count("cached_input_tokens"),
    thoughtTokens: count("reasoning_output_tokens"),
  };
}
