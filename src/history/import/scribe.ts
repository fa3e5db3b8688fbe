/**
 * Writes down what a reader tells, as our entries: prompts and the ends of their turns, whole messages, tool calls, plans,
 * summaries. Each carries the id and the kind that it had where it comes from. What was written never changes by what
 * comes later, so that a history that has grown begins as it did before.
 */
import { ownText } from "../../base/beginning.ts";
import { metaKey } from "../../acp/meta.ts";
import { withChild } from "../../acp/child-mark.ts";
import type { Json } from "../../base/json.ts";
import type { SessionId } from "../../base/ids.ts";
import type { EntryKind, NewEntry } from "../../store/contract.ts";
import { isTime } from "./native.ts";

/** What the original calls a record. */
export interface Origin {
  readonly kind: string;
  readonly id?: string | undefined;
  readonly model?: string | undefined;
}

export interface ToolFields {
  readonly toolCallId: string;
  readonly title?: string | undefined;
  readonly kind?: string | undefined;
  readonly status?: "pending" | "in_progress" | "completed" | "failed" | undefined;
  readonly rawInput?: unknown;
  readonly rawOutput?: unknown;
  readonly content?: readonly Json[] | undefined;
  readonly locations?: readonly { readonly path: string; readonly line?: number }[] | undefined;
}

export interface PlanItem {
  readonly content: string;
  readonly status: "pending" | "in_progress" | "completed";
  readonly priority?: "high" | "medium" | "low";
}

type Role = "user_message_chunk" | "agent_message_chunk" | "agent_thought_chunk";

export class Scribe {
  firstMs: number | undefined;
  lastMs = 0;
  #entries: NewEntry[] = [];
  /** `seq` of the last entry, as it will be in a session of its own. */
  #seq = 0;
  #isInTurn = false;
  #usage: Json | undefined;

  /** Entries so far. */
  get seq(): number {
    return this.#seq;
  }

  get isInTurn(): boolean {
    return this.#isInTurn;
  }

  /** A turn begins; the one before has ended, or goes on beside it: results of its calls are still to come. */
  prompt(
    atMs: number,
    prompt: readonly Json[],
    origin: Origin,
    { messageId, isWithin = false }: { readonly messageId?: string | undefined; readonly isWithin?: boolean },
  ): void {
    if (!isWithin) {
      this.endTurn();
      this.#usage = undefined;
    }
    const id = messageId === undefined ? {} : { messageId };
    this.#add("prompt", atMs, JSON.stringify({ prompt, ...id, _meta: metaOf(origin) }));
    this.#isInTurn = true;
  }

  message(
    atMs: number,
    sessionUpdate: Role,
    content: Json,
    origin: Origin,
    { messageId, child }: { readonly messageId?: string | undefined; readonly child?: SessionId | undefined },
  ): void {
    const id = messageId === undefined ? {} : { messageId };
    this.update(atMs, { sessionUpdate, content, ...id }, origin, child);
  }

  toolCall(atMs: number, fields: ToolFields, origin: Origin, child?: SessionId): void {
    this.update(atMs, { sessionUpdate: "tool_call", ...fields }, origin, child);
  }

  toolProgress(atMs: number, fields: ToolFields, origin: Origin, child?: SessionId): void {
    this.update(atMs, { sessionUpdate: "tool_call_update", ...fields }, origin, child);
  }

  plan(atMs: number, items: readonly PlanItem[], origin: Origin, child?: SessionId): void {
    const entries = items.map((item) => ({ priority: "medium", ...item }));
    this.update(atMs, { sessionUpdate: "plan", entries }, origin, child);
  }

  /** What the agent has put in the place of all that was before. */
  summary(atMs: number, compactionId: string, text: string | undefined, origin: Origin): void {
    const summary = text === undefined ? {} : { summary: [{ type: "text", text }] };
    this.update(
      atMs,
      { sessionUpdate: "compaction_update", compactionId, status: "completed", ...summary },
      origin,
    );
  }

  subagent(atMs: number, sessionId: SessionId, fields: Readonly<Record<string, Json>>, origin: Origin): void {
    this.update(atMs, { sessionUpdate: "subagent_update", sessionId, ...fields }, origin);
  }

  update(
    atMs: number,
    update: { readonly sessionUpdate: string; readonly [field: string]: unknown },
    origin: Origin,
    child?: SessionId,
  ): void {
    const data = JSON.stringify({ update: { ...update, _meta: metaOf(origin) } });
    this.#add("update", atMs, child === undefined ? data : withChild(data, child));
  }

  /** Tokens of the turn as the agent reported them; the last word counts. */
  usage(usage: Json): void {
    this.#usage = usage;
  }

  endTurn(fields: Readonly<Record<string, Json>> = { result: { stopReason: "end_turn" } }): void {
    if (!this.#isInTurn) return;
    const end = this.#end(fields);
    this.#isInTurn = false;
    this.#add(end.kind, end.atMs, end.data);
  }

  /** What came behind `toSeq`, the last entry that counts, does not count any more; 0 for none. */
  rewind(atMs: number, toSeq: number, origin: Origin): void {
    this.endTurn();
    if (toSeq < this.#seq) this.#add("rewind", atMs, JSON.stringify({ toSeq, _meta: metaOf(origin) }));
  }

  other(kind: EntryKind, atMs: number, data: string): void {
    this.#add(kind, atMs, data);
  }

  /** What has been written since it was asked last. */
  taken(): readonly NewEntry[] {
    const taken = this.#entries;
    this.#entries = [];
    return taken;
  }

  /** What ends the turn as long as nothing more comes. */
  tail(): readonly NewEntry[] {
    return this.#isInTurn ? [this.#end({ result: { stopReason: "end_turn" } })] : [];
  }

  #end({ result, ...fields }: Readonly<Record<string, Json>>): NewEntry {
    const answer = { ...(result as object), ...(this.#usage !== undefined && { usage: this.#usage }) };
    const data = JSON.stringify(result === undefined ? fields : { ...fields, result: answer });
    return { kind: "end", atMs: this.lastMs, data };
  }

  /** The time of a record that tells none is that of the one before; none goes back. */
  #add(kind: EntryKind, atMs: number, data: string): void {
    const at = isTime(Math.trunc(atMs)) && atMs > 0 ? Math.trunc(atMs) : this.lastMs;
    this.firstMs ??= at;
    this.lastMs = Math.max(this.lastMs, at);
    this.#entries.push({ kind, atMs: this.lastMs, data });
    this.#seq += 1;
  }
}

function metaOf({ kind, id, model }: Origin): Json {
  const native = { kind, ...(id !== undefined && { id }), ...(model !== undefined && { model }) };
  return { [metaKey]: { native } };
}

/** Milliseconds of a time as JSON has it; NaN for none. */
export function timeOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" ? Date.parse(value) : NaN;
}

/** What is no letter: spaces of any kind, and control characters, which a title has no use for. */
const noLetters = /[\s\0-\x1f\x7f-\x9f]+/g;

/** The first line of what was said, as a title. */
export function titleFrom(text: string, maxChars = 80): string | undefined {
  const line = (text.trimStart().slice(0, 1000).split("\n", 1)[0] ?? "").replace(noLetters, " ").trim();
  if (line === "") return undefined;
  if (line.length <= maxChars) return ownText(line);
  const chars = Array.from(line);
  return chars.length <= maxChars
    ? ownText(line)
    : `${chars
        .slice(0, maxChars - 1)
        .join("")
        .trimEnd()}…`;
}
