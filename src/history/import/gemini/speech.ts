/** What messages of Gemini CLI say, in a session or in that of a subagent. */
import type { SessionId } from "../../../base/ids.ts";
import { isRecord, type Json } from "../../../base/json.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { timeOf, type Origin, type Scribe } from "../scribe.ts";
import { partsIn } from "./parts.ts";
import { isPlanTool, outputOf, planOf, shownCall, usageOf } from "./tools.ts";

export class Speech {
  readonly #scribe: Scribe;
  readonly #child: SessionId | undefined;

  constructor(scribe: Scribe, child?: SessionId) {
    this.#scribe = scribe;
    this.#child = child;
  }

  /** What a subagent was asked to do. */
  asked(message: Fields): void {
    const at = timeOf(message["timestamp"]);
    const origin = { kind: "subagent user", id: textIn(message, "id") };
    const whose = { messageId: origin.id, child: this.#child };
    for (const part of partsIn(message["content"]))
      this.#scribe.message(at, "user_message_chunk", part, origin, whose);
  }

  /** @returns the subagents that were asked in it, by the program's ids */
  answer(message: Fields): string[] {
    const atMs = timeOf(message["timestamp"]);
    const id = textIn(message, "id");
    const origin = { kind: "gemini", id, model: textIn(message, "model") };
    const whose = { messageId: id, child: this.#child };
    for (const thought of listIn(message, "thoughts")) if (isRecord(thought)) this.#thought(thought, origin);
    for (const part of partsIn(message["content"]))
      this.#scribe.message(atMs, "agent_message_chunk", part, origin, whose);
    const calls = listIn(message, "toolCalls").filter(isRecord);
    for (const call of calls) this.#call(call, origin.model);
    const tokens = recordIn(message, "tokens");
    if (tokens !== undefined && this.#child === undefined) this.#scribe.usage(usageOf(tokens));
    return calls.flatMap((call) => textIn(call, "agentId") ?? []);
  }

  #thought(thought: Fields, origin: Origin): void {
    const text = [textIn(thought, "subject"), textIn(thought, "description")].filter(Boolean).join("\n\n");
    if (text === "") return;
    const block: Json = { type: "text", text };
    const whose = { messageId: origin.id, child: this.#child };
    this.#scribe.message(timeOf(thought["timestamp"]), "agent_thought_chunk", block, origin, whose);
  }

  #call(call: Fields, model: string | undefined): void {
    const toolCallId = textIn(call, "id");
    if (toolCallId === undefined) return;
    const atMs = timeOf(call["timestamp"]);
    const name = textIn(call, "name") ?? "tool";
    const origin = { kind: `toolCall ${name}`, id: toolCallId, model };
    const plan = isPlanTool(name) ? planOf(recordIn(call, "args") ?? {}) : undefined;
    if (plan !== undefined) return this.#scribe.plan(atMs, plan, origin, this.#child);
    const { status, content } = outputOf(call);
    const fields = { toolCallId, status, ...shownCall(name, call), content };
    this.#scribe.toolCall(atMs, fields, origin, this.#child);
  }
}
