/** Entries for tests, from the updates and prompts that they stand for. */
import type { Entry, EntryKind, NewEntry } from "../../src/store/contract.ts";
import type { UpdateData } from "../../src/acp/kinds.ts";

export type Update = UpdateData["update"];

/** One thing that is journaled: an update, or an entry of another kind with its data. */
export type Item = Update | { readonly kind: Exclude<EntryKind, "update">; readonly data: object };

export function newEntry(item: Item, atMs = 1): NewEntry {
  if ("sessionUpdate" in item) return { kind: "update", atMs, data: JSON.stringify({ update: item }) };
  return { kind: item.kind, atMs, data: JSON.stringify(item.data) };
}

export function entriesOf(items: readonly Item[]): Entry[] {
  return items.map((item, n) => ({ seq: n + 1, ...newEntry(item) }));
}

/** The updates among entries, parsed; entries of another kind by their kind. */
export function contentsOf(entries: readonly NewEntry[]): (Update | EntryKind)[] {
  return entries.map(({ kind, data }) =>
    kind === "update" ? (JSON.parse(data) as UpdateData).update : kind,
  );
}

export function chunk(
  text: string,
  messageId?: string | null,
  sessionUpdate = "agent_message_chunk",
  more: object = {},
): Update {
  const id = messageId === undefined ? {} : { messageId };
  return { sessionUpdate, content: { type: "text", text, ...more }, ...id };
}

export function image(messageId?: string): Update {
  const id = messageId === undefined ? {} : { messageId };
  return {
    sessionUpdate: "agent_message_chunk",
    content: { type: "image", data: "eA==", mimeType: "image/png" },
    ...id,
  };
}

export const prompt = (text = "go"): Item => ({ kind: "prompt", data: { prompt: [{ type: "text", text }] } });
export const end: Item = { kind: "end", data: { result: { stopReason: "end_turn" } } };

export const thought = (text: string, id?: string) => chunk(text, id, "agent_thought_chunk");
export const tool = (fields: object, sessionUpdate = "tool_call_update", toolCallId = "t"): Update => ({
  sessionUpdate,
  toolCallId,
  ...fields,
});
export const plan = (...contents: readonly string[]): Update => ({
  sessionUpdate: "plan",
  entries: contents.map((content) => ({ content, priority: "low", status: "pending" })),
});
export const compaction = (fields: object, sessionUpdate = "compaction_update"): Update => ({
  sessionUpdate,
  compactionId: "c",
  ...fields,
});
export const piece = (text: string) =>
  compaction({ content: { type: "text", text } }, "compaction_summary_chunk");
export const unknown = (n: number): Update => ({ sessionUpdate: "_vendor_news", n });
