/** Tool calls of opencode, as ACP shows them. */
import { isRecord, type Json } from "../../../base/json.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { titleFrom, type PlanItem, type ToolFields } from "../scribe.ts";

const kinds: Readonly<Record<string, string>> = {
  read: "read",
  edit: "edit",
  multiedit: "edit",
  patch: "edit",
  write: "edit",
  bash: "execute",
  glob: "search",
  grep: "search",
  list: "search",
  webfetch: "fetch",
  websearch: "fetch",
  task: "think",
};

/** A part that is a tool call, in the state that it has come to. */
export function shownCall(part: Fields): Omit<ToolFields, "toolCallId"> {
  const name = textIn(part, "tool") ?? "tool";
  const state = recordIn(part, "state") ?? {};
  const input = recordIn(state, "input") ?? {};
  const path = textIn(input, "filePath") ?? textIn(input, "path");
  const about =
    textIn(input, "command") ?? path ?? textIn(input, "description") ?? textIn(input, "pattern") ?? "";
  const said = textIn(state, "title");
  const title =
    name === "bash" && about !== "" ? about : said === undefined || said === "" ? `${name} ${about}` : said;
  const told = textIn(state, "status");
  const status = told === "completed" ? "completed" : told === "error" ? "failed" : "pending";
  return {
    title: titleFrom(title, 200) ?? name,
    kind: kinds[name] ?? "other",
    status,
    rawInput: input,
    content: [...changesIn(name, input, path), ...outputIn(state)],
    ...(path !== undefined && { locations: [{ path }] }),
  };
}

function changesIn(name: string, input: Fields, path: string | undefined): Json[] {
  if (path === undefined) return [];
  if (name === "write")
    return [{ type: "diff", path, oldText: null, newText: textIn(input, "content") ?? "" }];
  const edits = name === "multiedit" ? listIn(input, "edits") : name === "edit" ? [input] : [];
  return edits.filter(isRecord).map((edit) => ({
    type: "diff",
    path,
    oldText: textIn(edit, "oldString") ?? "",
    newText: textIn(edit, "newString") ?? "",
  }));
}

function outputIn(state: Fields): Json[] {
  const text = textIn(state, "output") || textIn(state, "error");
  return text === undefined || text === "" ? [] : [{ type: "content", content: { type: "text", text } }];
}

export function planIn(part: Fields): readonly PlanItem[] | undefined {
  const input = recordIn(recordIn(part, "state") ?? {}, "input") ?? {};
  if (textIn(part, "tool") !== "todowrite" || !Array.isArray(input["todos"])) return undefined;
  return listIn(input, "todos").flatMap((todo): PlanItem[] => {
    const content = isRecord(todo) ? textIn(todo, "content") : undefined;
    if (content === undefined || !isRecord(todo)) return [];
    const { status } = todo;
    return [{ content, status: status === "in_progress" || status === "completed" ? status : "pending" }];
  });
}

/** A file of a prompt: an image that it holds itself, or where it lies. */
export function fileBlock(part: Fields): Json | undefined {
  const url = textIn(part, "url");
  if (url === undefined) return undefined;
  const mimeType = textIn(part, "mime") ?? "";
  const comma = url.indexOf(";base64,");
  if (url.startsWith("data:image/") && comma > 0)
    return {
      type: "image",
      mimeType: mimeType || url.slice(5, comma),
      data: url.slice(comma + ";base64,".length),
    };
  const name = textIn(part, "filename") ?? textIn(part, "name") ?? "file";
  const uri = url.startsWith("data:") ? `data:${mimeType}` : url;
  return { type: "resource_link", uri, name, ...(mimeType !== "" && { mimeType }) };
}
