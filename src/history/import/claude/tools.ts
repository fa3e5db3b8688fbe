/** Tool calls of Claude Code, as ACP shows them: kind, title, the files that they touch, what they change in them. */
import type { Json } from "../../../base/json.ts";
import { listIn, textIn, type Fields } from "../records.ts";
import type { PlanItem, ToolFields } from "../scribe.ts";
import { titleFrom } from "../scribe.ts";

type Shown = Pick<ToolFields, "kind" | "title" | "content" | "locations">;

const kinds: Readonly<Record<string, string>> = {
  Read: "read",
  NotebookRead: "read",
  Edit: "edit",
  MultiEdit: "edit",
  Write: "edit",
  NotebookEdit: "edit",
  Bash: "execute",
  BashOutput: "execute",
  KillShell: "execute",
  PowerShell: "execute",
  Glob: "search",
  Grep: "search",
  LS: "search",
  WebFetch: "fetch",
  WebSearch: "fetch",
  Task: "think",
  Agent: "think",
  TodoWrite: "think",
  ExitPlanMode: "switch_mode",
  EnterPlanMode: "switch_mode",
};

export function shownCall(name: string, input: Fields): Shown {
  const path = textIn(input, "file_path") ?? textIn(input, "notebook_path");
  const told = ["command", "description", "pattern", "query", "url", "prompt"].map((field) =>
    textIn(input, field),
  );
  const about = path ?? told.find((text) => text !== undefined && text !== "");
  const kind = kinds[name] ?? "other";
  const title = kind === "execute" && about !== undefined ? about : [name, about].filter(Boolean).join(" ");
  const line = input["offset"];
  const content = changesIn(name, input, path);
  return {
    kind,
    title: titleFrom(title, 200) ?? name,
    ...(path !== undefined && {
      locations: [
        { path, ...(Number.isSafeInteger(line) && (line as number) >= 0 && { line: line as number }) },
      ],
    }),
    ...(content.length > 0 && { content }),
  };
}

function changesIn(name: string, input: Fields, path: string | undefined): Json[] {
  if (name === "ExitPlanMode") {
    const plan = textIn(input, "plan");
    return plan === undefined ? [] : [textContent(plan)];
  }
  if (path === undefined) return [];
  const diff = (oldText: string | null, newText: string): Json => ({ type: "diff", path, oldText, newText });
  if (name === "Write") return [diff(null, textIn(input, "content") ?? "")];
  const edits = name === "MultiEdit" ? listIn(input, "edits") : name === "Edit" ? [input] : [];
  return (edits as readonly Fields[])
    .filter((edit) => typeof edit === "object" && edit !== null)
    .map((edit) => diff(textIn(edit, "old_string") ?? "", textIn(edit, "new_string") ?? ""));
}

/** The list of a TodoWrite as a plan; undefined for any other call. */
export function planIn(name: string, input: Fields): readonly PlanItem[] | undefined {
  if (name !== "TodoWrite" || !Array.isArray(input["todos"])) return undefined;
  return (listIn(input, "todos") as readonly (Fields | null)[]).flatMap((todo) => {
    const content = todo === null || typeof todo !== "object" ? undefined : textIn(todo, "content");
    if (content === undefined) return [];
    const status = todo?.["status"];
    const isKnown = status === "in_progress" || status === "completed";
    return [{ content, status: isKnown ? status : "pending" } as const];
  });
}

export function textContent(text: string): Json {
  return { type: "content", content: { type: "text", text } };
}

/** Blocks of the Messages API as ACP's: text and images; of others it is told what they are. */
export function blockOf(block: unknown): Json | undefined {
  if (typeof block === "string") return { type: "text", text: block };
  if (typeof block !== "object" || block === null) return undefined;
  const fields = block as Fields;
  const type = textIn(fields, "type") ?? "?";
  if (type === "text") {
    const text = textIn(fields, "text") ?? "";
    return text === "" ? undefined : { type: "text", text };
  }
  const source = fields["source"] as Fields | null | undefined;
  const data = typeof source === "object" && source !== null ? textIn(source, "data") : undefined;
  if (type === "image" && data !== undefined && source?.["type"] === "base64")
    return { type: "image", data, mimeType: textIn(source, "media_type") ?? "image/png" };
  return { type: "text", text: `[${type}]` };
}
