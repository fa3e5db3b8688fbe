/** What stands in a tool call: its files, diffs, texts, terminals, subagents. Reads the fields of ACP's tool calls, whoever wrote them. */
import { isRecord, textOr, type Json } from "../base/json.ts";
import { textOf } from "../acp/content.ts";

/** The fields of a tool call, from an update or from a permission that is asked for. */
export type CallFields = Readonly<Record<string, unknown>>;

export interface FileDiff {
  readonly path: string;
  /** Undefined for a file that is new. */
  readonly oldText: string | undefined;
  readonly newText: string;
}

/** Every item of the content, one after the other. */
export function itemsOfCall({ content }: CallFields): readonly CallFields[] {
  return Array.isArray(content) ? content.filter(isRecord) : [];
}

export function diffsOf(call: CallFields): FileDiff[] {
  return itemsOfCall(call).flatMap((item) => diffIn(item) ?? []);
}

export function diffIn({ type, path, oldText, newText }: CallFields): FileDiff | undefined {
  if (type !== "diff" || typeof path !== "string") return undefined;
  return { path, oldText: typeof oldText === "string" ? oldText : undefined, newText: textOr(newText, "") };
}

/** The content blocks that it gave. */
export function blocksOf(call: CallFields): Json[] {
  return itemsOfCall(call).flatMap((item) => (item.type === "content" ? [item.content as Json] : []));
}

/** What it said, a block a line. */
export function outputOf(call: CallFields): string {
  return blocksOf(call)
    .map((block) => textOf({ content: [block] }))
    .join("\n");
}

/** Files that were changed: those of its diffs. */
export function changedPathsOf(call: CallFields): string[] {
  return [...new Set(diffsOf(call).map(({ path }) => path))];
}

/** All files that it says it is about. */
export function pathsOf(call: CallFields): string[] {
  const { locations } = call;
  const named = (Array.isArray(locations) ? locations : []).flatMap((each: unknown) =>
    isRecord(each) && typeof each.path === "string" ? [each.path] : [],
  );
  return [...new Set([...named, ...changedPathsOf(call)])];
}

/** The sessions of the subagents that work for it. */
export function sessionsOf(call: CallFields): string[] {
  return itemsOfCall(call).flatMap(({ type, sessionId }) =>
    type === "session" && typeof sessionId === "string" ? [sessionId] : [],
  );
}
