/** The conversation as a text for an agent that does not remember it: to go on with it, or to summarise it. */
import { isRecord, textOr } from "../base/json.ts";
import type { SessionId } from "../base/ids.ts";
import { meaningOf } from "../acp/entries.ts";
import { isOwn } from "../acp/own-mark.ts";
import { beginsCall, isSpeech, usualKindOf, type UpdateData } from "../acp/kinds.ts";
import type { Entry } from "../store/contract.ts";
import type { SessionFinder } from "./finder.ts";
import { pagesBackwards } from "./pages.ts";

const opening = "<conversation-history>";
export const closing = "</conversation-history>";

/** For an agent that takes no embedded resources. Nothing that was said can close it. */
export function betweenTags(text: string): string {
  return `${opening}\n${text.replace(/<(?=\/?conversation-history)/gi, "&lt;")}\n${closing}\n\n`;
}

/** What a history is read from: the registry. */
type HistorySource = Pick<SessionFinder, "read" | "superseded">;

interface HistoryText {
  /** "" when nothing was said. */
  readonly text: string;
  /** There was more than fits. */
  readonly isCut: boolean;
  /** Something was said since the summary that it begins with, or there is none. */
  readonly hasTurns: boolean;
}

/**
 * The newest summary and the newest turns that fit into `maxBytes`, oldest first. Messages are whole: half of one would
 * be taken for all of it.
 */
export async function historyText(
  source: HistorySource,
  id: SessionId,
  throughSeq: number,
  maxBytes: number,
): Promise<HistoryText> {
  const newest = new Newest(maxBytes);
  const superseded = await source.superseded(id);
  for await (const entries of pagesBackwards(source, id, throughSeq, superseded))
    for (const entry of entries.toReversed()) if (!newest.take(entry)) return newest.history();
  return newest.history();
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

  history(): HistoryText {
    const text = this.#text();
    return { text, isCut: this.#isCut, hasTurns: this.#parts.length > 0 };
  }

  #text(): string {
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
