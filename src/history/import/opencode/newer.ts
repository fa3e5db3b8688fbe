/** Messages of the newer generation of opencode (`session_message`), in the form of the older one. */
import { isRecord } from "../../../base/json.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import type { KeptMessage, KeptPart } from "./kept.ts";

interface NewerRow {
  readonly id: string;
  readonly atMs: number;
  readonly type: string;
  readonly fields: Fields;
}

/** Undefined for what is no part of the conversation: that the agent or the model was switched. */
export function messageOfRow({ id, atMs, type, fields }: NewerRow): KeptMessage | undefined {
  const message = { id, atMs, info: fields };
  const text = textIn(fields, "text") ?? "";
  switch (type) {
    case "user": {
      const files = listIn(fields, "files").filter(isRecord);
      const parts = [
        { type: "text", text },
        ...files.map((file) => ({ type: "file", url: file["uri"], ...file })),
      ];
      return { ...message, role: "user", parts: numbered(parts) };
    }
    case "assistant":
      return { ...message, role: "assistant", parts: numbered(listIn(fields, "content").map(partOf)) };
    case "shell": {
      const parts = [{ type: "text", text: `!${textIn(fields, "command") ?? ""}` }];
      return { ...message, role: "user", parts: numbered(parts) };
    }
    case "compaction": {
      const summary = [{ type: "text", text: textIn(fields, "summary") ?? "" }];
      return { ...message, role: "assistant", info: { summary: true }, parts: numbered(summary) };
    }
    default:
      return undefined;
  }
}

function numbered(parts: readonly unknown[]): KeptPart[] {
  return parts.flatMap((fields, at) => (isRecord(fields) ? [{ id: String(at), fields }] : []));
}

function partOf(content: unknown): unknown {
  if (!isRecord(content) || content["type"] !== "tool") return content;
  const state = recordIn(content, "state") ?? {};
  const output = listIn(state, "content")
    .map((part) => (isRecord(part) ? (textIn(part, "text") ?? "") : ""))
    .join("");
  const error = textIn(recordIn(state, "error") ?? {}, "message");
  return {
    type: "tool",
    callID: content["id"],
    tool: content["name"],
    state: { ...state, output, metadata: state["structured"], ...(error !== undefined && { error }) },
  };
}
