/** What the records of Claude Code say, in a session or in that of a subagent. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { SessionId } from "../../../base/ids.ts";
import { isRecord, type Json } from "../../../base/json.ts";
import { maxLineBytes } from "../lines.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { timeOf, type Origin, type Scribe } from "../scribe.ts";
import { TokenSum } from "./tokens.ts";
import { blockOf, planIn, shownCall, textContent } from "./tools.ts";

/** Where large outputs lie, if the session has such a folder. */
export interface Beside {
  readonly outputs: string;
}

export class Speech {
  readonly #scribe: Scribe;
  readonly #beside: Beside;
  readonly #child: SessionId | undefined;
  /** Calls that are shown as something else. */
  readonly #unshown = new Set<string>();
  #tokens = new TokenSum();

  constructor(scribe: Scribe, beside: Beside, child?: SessionId) {
    this.#scribe = scribe;
    this.#beside = beside;
    this.#child = child;
  }

  newTurn(): void {
    this.#unshown.clear();
    this.#tokens = new TokenSum();
  }

  /** One record of an answer, which may have several. */
  answer(fields: Fields): void {
    const message = recordIn(fields, "message") ?? {};
    const model = textIn(message, "model");
    const [id, messageId] = [textIn(fields, "uuid"), textIn(message, "id")];
    const origin: Origin = { kind: "assistant", id, model: model === "<synthetic>" ? undefined : model };
    const content = message["content"];
    const blocks =
      typeof content === "string" ? [{ type: "text", text: content }] : listIn(message, "content");
    for (const block of blocks)
      if (isRecord(block)) this.#say(timeOf(fields["timestamp"]), block, origin, messageId);
    const usage = recordIn(message, "usage");
    if (this.#child !== undefined || usage === undefined) return;
    this.#tokens.note(messageId ?? id ?? "", usage);
    this.#scribe.usage(this.#tokens.sum);
  }

  #say(atMs: number, block: Fields, origin: Origin, messageId: string | undefined): void {
    const whose = { messageId, child: this.#child };
    const type = textIn(block, "type") ?? "?";
    if (type === "thinking") {
      const text = textIn(block, "thinking") ?? "";
      if (text.trim() !== "")
        this.#scribe.message(atMs, "agent_thought_chunk", { type: "text", text }, origin, whose);
    } else if (type.endsWith("tool_use")) this.#call(atMs, block, origin);
    else if (type.endsWith("tool_result")) this.#result(atMs, block, origin, undefined);
    else if (type !== "redacted_thinking") {
      const content = blockOf(block);
      if (content !== undefined) this.#scribe.message(atMs, "agent_message_chunk", content, origin, whose);
    }
  }

  #call(atMs: number, block: Fields, origin: Origin): void {
    const [toolCallId, name] = [textIn(block, "id"), textIn(block, "name") ?? "tool"];
    if (toolCallId === undefined) return;
    const input = recordIn(block, "input") ?? {};
    const plan = planIn(name, input);
    if (plan !== undefined) {
      this.#unshown.add(toolCallId);
      this.#scribe.plan(atMs, plan, origin, this.#child);
      return;
    }
    const fields = { toolCallId, status: "pending", rawInput: input, ...shownCall(name, input) } as const;
    this.#scribe.toolCall(atMs, fields, { ...origin, kind: `tool_use ${name}` }, this.#child);
  }

  /** The results of tools that a user's record has; whether it has any. */
  results(fields: Fields): boolean {
    const results = listIn(recordIn(fields, "message") ?? {}, "content").filter(isResult);
    const origin = { kind: "user", id: textIn(fields, "uuid") };
    for (const each of results)
      this.#result(timeOf(fields["timestamp"]), each, origin, fields["toolUseResult"]);
    return results.length > 0;
  }

  #result(atMs: number, block: Fields, origin: Origin, told: unknown): void {
    const toolCallId = textIn(block, "tool_use_id");
    if (toolCallId === undefined || this.#unshown.delete(toolCallId)) return;
    const status = block["is_error"] === true ? "failed" : "completed";
    const content = this.#output(block, isRecord(told) ? told : {});
    this.#scribe.toolProgress(
      atMs,
      { toolCallId, status, ...(content.length > 0 && { content }) },
      { ...origin, kind: "tool_result" },
      this.#child,
    );
  }

  #output(block: Fields, told: Fields): Json[] {
    const whole = this.#persisted(textIn(told, "persistedOutputPath"));
    if (whole !== undefined) return [textContent(whole)];
    const content = block["content"];
    const blocks: readonly unknown[] = Array.isArray(content) ? content : [content];
    return blocks.flatMap((each) => {
      const shown = blockOf(each);
      return shown === undefined ? [] : [{ type: "content", content: shown }];
    });
  }

  /** A file that the session has beside it; one that lies elsewhere is none of its outputs. */
  #persisted(path: string | undefined): string | undefined {
    if (path === undefined) return undefined;
    try {
      const bytes = readFileSync(join(this.#beside.outputs, basename(path.replaceAll("\\", "/"))));
      return bytes.subarray(0, maxLineBytes).toString("utf8");
    } catch {
      return undefined;
    }
  }
}

function isResult(block: unknown): block is Fields {
  return isRecord(block) && block["type"] === "tool_result";
}
