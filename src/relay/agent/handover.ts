/**
 * Handover: the conversation so far, for an agent that does not remember it. It stands before the next
 * prompt, marked as history; the newest turns come first into the budget. The client never sees it.
 */
import type { AgentRun } from "../../agent/supervisor.ts";
import { isRecord, textOr } from "../../base/json.ts";
import type { PromptBody } from "../../acp/schema.ts";
import { pagesBackwards } from "../../session/pages.ts";
import { meaningOf } from "../../acp/entries.ts";
import { isOwn } from "../../acp/own-mark.ts";
import { usualKindOf, type UpdateData } from "../../acp/kinds.ts";
import type { Entry } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import { handoverPreamble, handoverText, handoverUri } from "../live/handed-over.ts";
import type { LiveSession } from "../live/session.ts";

/** The prompt with the history before it: an embedded resource where the agent takes one, text where not. */
export async function withHandover(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  prompt: PromptBody["prompt"],
  throughSeq: number,
): Promise<PromptBody["prompt"]> {
  const history = await live.journal.reading(() => historyOf(ctx, live, throughSeq));
  if (history === "") return [...prompt];
  const text = `${handoverPreamble}\n\n${history}`;
  const block = run.can.embeddedContext
    ? {
        type: "resource",
        resource: { uri: handoverUri(live.id), mimeType: "text/markdown", text },
      }
    : { type: "text", text: handoverText(text) };
  return [block, ...prompt];
}

/** The newest part of the conversation that fits the budget, oldest first. */
async function historyOf(ctx: RelayContext, live: LiveSession, throughSeq: number): Promise<string> {
  const { handoverBytes } = ctx.options;
  const parts: string[] = [];
  let bytes = 0;
  for await (const entries of pagesBackwards(ctx.registry, live.id, throughSeq)) {
    for (const entry of entries.toReversed()) {
      const part = partOf(entry);
      if (part === "") continue;
      const size = Buffer.byteLength(part) + 2;
      if (bytes + size > handoverBytes) {
        // Of a single part beyond the budget the end is given, because it is the newest.
        const rest = handoverBytes - bytes;
        if (parts.length === 0 && rest > 0) parts.push(endOf(part, rest));
        return ["(Older turns are left out.)", ...parts.reverse()].join("\n\n");
      }
      parts.push(part);
      bytes += size;
    }
  }
  return parts.reverse().join("\n\n");
}

/** The end of a text within so many bytes, whole characters only. */
function endOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  let start = Math.max(0, bytes.length - maxBytes);
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.toString("utf8", start);
}

/** Kinds of updates that are no part of it, which need not be parsed: of thoughts there are many. */
const leftOut: ReadonlySet<string> = new Set([
  "agent_thought_chunk",
  "tool_call_update",
  "plan",
  "usage_update",
]);

function partOf(entry: Entry): string {
  if (isOwn(entry)) return "";
  if (entry.kind === "update" && leftOut.has(usualKindOf(entry.data) ?? "")) return "";
  const meaning = meaningOf(entry);
  switch (meaning.type) {
    case "prompt":
      return said("User", meaning.content);
    case "message":
      return said(headings[meaning.role], meaning.content);
    case "chunk":
      return meaning.role === "thought" ? "" : said(headings[meaning.role], [meaning.content]);
    case "toolCall":
      return toolCallPart(meaning.data.update);
    default:
      return "";
  }
}

const headings = { user: "User", assistant: "Assistant", system: "System" } as const;

function toolCallPart({ sessionUpdate, title, status }: UpdateData["update"]): string {
  if (sessionUpdate !== "tool_call" || typeof title !== "string") return "";
  return `## Tool call\n${title}${typeof status === "string" ? ` (${status})` : ""}`;
}

function said(heading: string, content: unknown): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  const text = blocks.map(blockText).join("").trim();
  return text === "" ? "" : `## ${heading}\n${text}`;
}

function blockText(block: unknown): string {
  if (!isRecord(block)) return "";
  if (block.type === "text") return textOr(block.text, "");
  if (block.type === "resource_link") return `[${textOr(block.name, "link")}](${textOr(block.uri, "")})`;
  if (block.type === "resource" && isRecord(block.resource)) {
    return `\n\`\`\`\n${textOr(block.resource.uri, "")}\n${textOr(block.resource.text, "(binary)")}\n\`\`\`\n`;
  }
  return `[${textOr(block.type, "?")}]`;
}
