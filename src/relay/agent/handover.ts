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
import { beginsCall, isSpeech, usualKindOf, type UpdateData } from "../../acp/kinds.ts";
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

/**
 * The newest summary and the newest turns that fit the budget, oldest first. Messages are whole: half of one would be
 * taken for all of it.
 */
async function historyOf(ctx: RelayContext, live: LiveSession, throughSeq: number): Promise<string> {
  const newest = new Newest(ctx.options.handoverBytes);
  const superseded = await ctx.registry.superseded(live.id);
  for await (const entries of pagesBackwards(ctx.registry, live.id, throughSeq, superseded))
    for (const entry of entries.toReversed()) if (!newest.take(entry)) return newest.text();
  return newest.text();
}

/** Takes entries, the newest first, until there is no more room, or a summary stands for all that is older. */
class Newest {
  readonly #maxBytes: number;
  readonly #parts: string[] = [];
  #bytes = 0;
  #summary: { readonly throughSeq: number; readonly part: string } | undefined;
  #isCut = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False when it wants no more. */
  take(entry: Entry): boolean {
    if (this.#summary !== undefined && entry.seq <= this.#summary.throughSeq) return false;
    const summary = this.#summary === undefined ? summaryIn(entry) : undefined;
    if (summary !== undefined && sizeOf(summary.part) <= this.#maxBytes) {
      this.#summary = summary;
      this.#bytes += sizeOf(summary.part);
      while (this.#bytes > this.#maxBytes && this.#parts.length > 0) this.#dropOldest();
      return !this.#isCut;
    }
    const part = partOf(entry);
    if (part === "") return true;
    this.#isCut = this.#bytes + sizeOf(part) > this.#maxBytes;
    if (this.#isCut) return false;
    this.#parts.push(part);
    this.#bytes += sizeOf(part);
    return true;
  }

  text(): string {
    // The rest of a turn whose prompt is left out would read like an answer to nothing.
    const isTurn = this.#parts.some((part) => part.startsWith(turnStart));
    while (this.#isCut && isTurn && this.#parts.at(-1)?.startsWith(turnStart) === false) this.#dropOldest();
    const head = this.#summary === undefined ? [] : [this.#summary.part];
    const gap = this.#isCut ? ["(Older turns are left out.)"] : [];
    return [...head, ...gap, ...this.#parts.toReversed()].join("\n\n");
  }

  #dropOldest(): void {
    this.#isCut = true;
    this.#bytes -= sizeOf(this.#parts.pop() ?? "");
  }
}

function sizeOf(part: string): number {
  return Buffer.byteLength(part) + 2;
}

/** Of ours, or of the agent's own, which stands for all before it. */
function summaryIn(entry: Entry): { readonly throughSeq: number; readonly part: string } | undefined {
  if (entry.kind !== "summary" && usualKindOf(entry.data) !== "compaction_update") return undefined;
  const meaning = meaningOf(entry);
  if (meaning.type === "summary") return summarised(meaning.throughSeq, meaning.content);
  if (meaning.type !== "compaction" || meaning.data.update.status !== "completed") return undefined;
  return summarised(entry.seq - 1, meaning.data.update.summary);
}

function summarised(throughSeq: number, content: unknown) {
  const part = said("Summary of what came before", content);
  return part === "" ? undefined : { throughSeq, part };
}

function partOf(entry: Entry): string {
  if (isOwn(entry)) return "";
  // What is no part of it need not be parsed: of thoughts there are many.
  const kind = entry.kind === "update" ? usualKindOf(entry.data) : undefined;
  if (kind !== undefined && !isSpeech(kind) && !beginsCall(kind)) return "";
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

const turnStart = "## User\n";
const headings = { user: "User", assistant: "Assistant", system: "System" } as const;

function toolCallPart({ sessionUpdate, title, status }: UpdateData["update"]): string {
  if (!beginsCall(sessionUpdate) || typeof title !== "string") return "";
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
