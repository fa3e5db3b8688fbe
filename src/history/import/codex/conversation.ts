/**
 * The lines of a rollout of Codex, one by one: since autumn 2025 `{ timestamp, type, payload }`, before that bare items.
 * The same words come as an event for its screen and as an item for its model: each is taken once. What the program
 * puts in itself has a user's role as an item, and no event.
 */
import { wordsOf } from "../../../acp/content.ts";
import { createHash } from "node:crypto";
import { isRecord, type Json } from "../../../base/json.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { timeOf, titleFrom } from "../scribe.ts";
import type { Telling } from "./subagent-scribe.ts";
import { outputOf, shownCall, usageOf, type ShownCall } from "./tools.ts";
import { between, blocksIn, isInjected, lastWordsIn } from "./words.ts";

/** What was heard of one kind in this turn, on either way, and not yet on the other. */
class Twice {
  readonly #open = new Map<string, number>();

  /** Whether it was heard before on the other way. @param way 1 or -1 */
  hears(text: string, way: 1 | -1): boolean {
    const key = createHash("sha256").update(text.trim()).digest("base64");
    const open = this.#open.get(key) ?? 0;
    this.#open.set(key, open + way);
    return open * way < 0;
  }

  clear(): void {
    this.#open.clear();
  }
}

export class CodexConversation {
  id: string | undefined;
  cwd: string | undefined;
  title: string | undefined;
  #model: string | undefined;
  #atMs = NaN;
  readonly #answers = new Twice();
  readonly #thoughts = new Twice();
  /** A user's item that no event has told yet. */
  #held: readonly Json[] | undefined;
  #promptText = "";
  /** Events tell what the user said. */
  #tellsPrompts = false;
  /** Where each turn that counts began: the last entry before it. */
  readonly #starts: number[] = [];
  /** Calls that are shown as something else. */
  readonly #unshown = new Set<string>();
  readonly #scribe: Telling;

  constructor(scribe: Telling) {
    this.#scribe = scribe;
  }

  take(fields: Fields): void {
    this.#atMs = timeOf(fields["timestamp"]);
    const payload = recordIn(fields, "payload");
    switch (textIn(fields, "type")) {
      case "session_meta":
        return this.#meta(payload ?? {});
      case "turn_context":
        this.#model = textIn(payload ?? {}, "model") ?? this.#model;
        this.cwd ??= textIn(payload ?? {}, "cwd");
        return;
      case "event_msg":
        return this.#event(payload ?? {});
      case "compacted":
        return this.#compacted(payload ?? {});
      case "response_item":
        return this.#item(payload ?? {});
      default:
        // Of before autumn 2025: the first line tells the session, the others are items.
        return textIn(fields, "type") === undefined ? this.#meta(fields) : this.#item(fields);
    }
  }

  /** A user's item at the very end is a prompt where no event tells of prompts. */
  end(): void {
    if (!this.#tellsPrompts) this.#release();
  }

  /** A fork repeats the lines of its parent, and with them whose they were: the first one counts. */
  #meta(meta: Fields): void {
    this.id ??= textIn(meta, "id");
    this.#scribe.lastMs ||= timeOf(meta["timestamp"]) || 0;
    this.cwd ??= textIn(meta, "cwd");
    this.#model ??= textIn(meta, "model");
  }

  #event(event: Fields): void {
    const text = textIn(event, "message") ?? textIn(event, "text") ?? "";
    switch (textIn(event, "type")) {
      case "user_message":
        return this.#said(text, event);
      case "agent_message":
        return this.#answer(text, -1, undefined);
      case "agent_reasoning":
        return this.#thought(text, -1, undefined);
      case "token_count":
        return this.#tokens(event);
      case "turn_aborted":
        return this.#scribe.endTurn({ result: { stopReason: "cancelled" } });
      case "task_complete":
      case "turn_complete":
        return this.#scribe.endTurn();
      case "thread_rolled_back":
        return this.#rollBack(event["num_turns"]);
      case "thread_name_updated":
        this.title = titleFrom(textIn(event, "thread_name") ?? "") ?? this.title;
        return;
      default:
    }
  }

  #item(item: Fields): void {
    const type = textIn(item, "type") ?? "";
    if (type === "message") return this.#message(item);
    if (type === "reasoning") {
      const said = [...listIn(item, "summary"), ...listIn(item, "content")].filter(isRecord);
      for (const each of said) this.#thought(textIn(each, "text") ?? "", 1, textIn(item, "id"));
    } else if (type.endsWith("_call")) this.#call(item, type);
    else if (type.endsWith("_call_output")) this.#output(item, type);
  }

  #message(item: Fields): void {
    const blocks = blocksIn(listIn(item, "content"));
    const role = textIn(item, "role");
    if (role === "assistant") {
      for (const block of blocks)
        this.#answer(isRecord(block) ? (textIn(block, "text") ?? "") : "", 1, textIn(item, "id"));
    } else if (role === "user") {
      const text = wordsOf(blocks);
      const cwd = isInjected(text) ? between(text, "<cwd>", "</cwd>") : undefined;
      this.cwd ??= cwd;
      if (isInjected(text) || (this.#scribe.isInTurn && text.trim() === this.#promptText)) return;
      // Another one that no event has told either: both are the user's.
      if (!this.#tellsPrompts) this.#release();
      this.#held = blocks;
    }
  }

  /** The user's words as the program showed them, with the images of the item. */
  #said(text: string, event: Fields): void {
    const held = this.#held ?? [];
    [this.#held, this.#tellsPrompts] = [undefined, true];
    if (isInjected(text) && textIn(event, "kind") !== undefined) return;
    const images = held.filter((block) => isRecord(block) && block["type"] !== "text");
    this.#prompt([...(text === "" ? [] : [{ type: "text", text }]), ...images], "event user_message");
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#prompt(held, "item message");
  }

  #prompt(blocks: readonly Json[], kind: string): void {
    if (blocks.length === 0) return;
    const scribe = this.#scribe;
    scribe.endTurn();
    this.#starts.push(scribe.seq);
    scribe.prompt(this.#atMs, blocks, { kind }, {});
    this.#promptText = wordsOf(blocks).trim();
    this.title ??= titleFrom(this.#promptText);
    this.#answers.clear();
    this.#thoughts.clear();
    this.#unshown.clear();
  }

  /** @param way 1 as an item, -1 as an event */
  #answer(text: string, way: 1 | -1, id: string | undefined): void {
    if (text === "" || this.#answers.hears(text, way)) return;
    this.#release();
    const kind = way === 1 ? "item message" : "event agent_message";
    this.#speak("agent_message_chunk", text, kind, id);
  }

  #thought(text: string, way: 1 | -1, id: string | undefined): void {
    if (text === "" || this.#thoughts.hears(text, way)) return;
    this.#release();
    const kind = way === 1 ? "item reasoning" : "event agent_reasoning";
    this.#speak("agent_thought_chunk", text, kind, id);
  }

  #speak(
    role: "agent_message_chunk" | "agent_thought_chunk",
    text: string,
    kind: string,
    id: string | undefined,
  ): void {
    // Two that come one after the other are two messages.
    const messageId = id ?? `codex-${this.#scribe.seq + 1}`;
    this.#scribe.message(
      this.#atMs,
      role,
      { type: "text", text },
      { kind, id, model: this.#model },
      { messageId },
    );
  }

  #call(item: Fields, type: string): void {
    this.#release();
    const toolCallId = textIn(item, "call_id") ?? textIn(item, "id") ?? `codex-${this.#scribe.seq + 1}`;
    const shown: ShownCall = shownCall(type, item);
    const origin = { kind: `item ${type}`, id: textIn(item, "id"), model: this.#model };
    if (shown.plan !== undefined) {
      this.#unshown.add(toolCallId);
      return this.#scribe.plan(this.#atMs, shown.plan, origin);
    }
    this.#scribe.toolCall(
      this.#atMs,
      { toolCallId, status: shown.status ?? "pending", ...shown.fields },
      origin,
    );
  }

  #output(item: Fields, type: string): void {
    const toolCallId = textIn(item, "call_id");
    if (toolCallId === undefined || this.#unshown.delete(toolCallId)) return;
    const { status, content } = outputOf(item["output"]);
    const fields = { toolCallId, status, ...(content.length > 0 && { content }) };
    this.#scribe.toolProgress(this.#atMs, fields, { kind: `item ${type}`, id: textIn(item, "id") });
  }

  #tokens(event: Fields): void {
    const last = recordIn(recordIn(event, "info") ?? {}, "last_token_usage");
    if (last !== undefined) this.#scribe.usage(usageOf(last));
  }

  #compacted(item: Fields): void {
    const message = textIn(item, "message") ?? "";
    const text = message === "" ? lastWordsIn(listIn(item, "replacement_history")) : message;
    this.#scribe.summary(this.#atMs, `compacted-${this.#scribe.seq + 1}`, text, { kind: "compacted" });
  }

  #rollBack(turns: unknown): void {
    if (!Number.isSafeInteger(turns) || (turns as number) <= 0) return;
    const kept = Math.max(0, this.#starts.length - (turns as number));
    const seq = this.#starts[kept];
    if (seq === undefined) return;
    this.#starts.length = kept;
    this.#scribe.rewind(this.#atMs, seq, { kind: "event thread_rolled_back" });
  }
}
