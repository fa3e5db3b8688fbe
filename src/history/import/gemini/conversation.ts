/**
 * The records of a session of Gemini CLI. A message with an id that was there before takes its place; a list of messages
 * takes the place of all; going back drops a message and what follows. What had to go is written all the same, as what
 * does not count any more.
 */
import { isRecord, type Json } from "../../../base/json.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { Scribe, timeOf, titleFrom } from "../scribe.ts";
import { wordsOf } from "../../../acp/content.ts";
import { partsIn } from "./parts.ts";
import { isPlanTool, outputOf, planOf, shownCall, usageOf } from "./tools.ts";

export class GeminiConversation {
  readonly scribe = new Scribe();
  id: string | undefined;
  title: string | undefined;
  isSubagent = false;
  directory: string | undefined;
  #firstWords: string | undefined;
  /** Not written yet, because they may change: in order. */
  #waiting = new Map<string, Fields>();
  /** Of those that are written and count: the last entry before each, in order. */
  readonly #before = new Map<string, number>();

  get name(): string | undefined {
    return this.title ?? this.#firstWords;
  }

  take(record: Fields): void {
    const to = textIn(record, "$rewindTo");
    if (to !== undefined) return this.#goBack(to);
    const set = recordIn(record, "$set");
    if (set !== undefined) {
      if (Array.isArray(set["messages"])) this.#replaceAll(listIn(set, "messages"));
      return this.#meta(set);
    }
    if (textIn(record, "sessionId") !== undefined) {
      this.#meta(record);
      for (const message of listIn(record, "messages")) this.#note(message);
    } else this.#note(record);
  }

  /** Nothing more comes. */
  end(): void {
    for (const [id, message] of this.#waiting) {
      if (textIn(message, "type") === "user") this.scribe.endTurn();
      this.#before.set(id, this.scribe.seq);
      this.#write(message);
    }
    this.#waiting.clear();
  }

  #meta(fields: Fields): void {
    this.id ??= textIn(fields, "sessionId");
    this.title = titleFrom(textIn(fields, "summary") ?? "") ?? this.title;
    this.isSubagent ||= fields["kind"] === "subagent";
    const [directory] = listIn(fields, "directories");
    if (typeof directory === "string") this.directory ??= directory;
  }

  #note(message: unknown): void {
    const id = isRecord(message) ? textIn(message, "id") : undefined;
    if (id === undefined || !isRecord(message)) return;
    if (this.#before.has(id)) this.#goBack(id);
    this.#waiting.set(id, message);
  }

  #goBack(id: string): void {
    const isWaiting = this.#waiting.has(id);
    this.end();
    // One that is not there drops all.
    const seq = this.#before.get(id) ?? 0;
    let isBehind = !this.#before.has(id);
    for (const each of [...this.#before.keys()]) {
      isBehind ||= each === id;
      if (isBehind) this.#before.delete(each);
    }
    this.scribe.rewind(this.scribe.lastMs, seq, { kind: isWaiting ? "$rewindTo" : "again", id });
  }

  #replaceAll(messages: readonly unknown[]): void {
    if (this.#before.size > 0) this.scribe.rewind(this.scribe.lastMs, 0, { kind: "$set messages" });
    this.#before.clear();
    this.#waiting.clear();
    for (const message of messages) this.#note(message);
  }

  #write(message: Fields): void {
    const type = textIn(message, "type");
    if (type === "user") this.#prompt(message);
    else if (type === "gemini") this.#answer(message);
  }

  #prompt(message: Fields): void {
    const parts = partsIn(message["displayContent"] ?? message["content"]);
    const words = wordsOf(parts).trim();
    const isInjected = words.startsWith("<session_context>") || words.startsWith("<hook_context>");
    if (parts.length === 0 || isInjected || isSetUp(words)) return;
    const id = textIn(message, "id");
    this.scribe.prompt(timeOf(message["timestamp"]), parts, { kind: "user", id }, { messageId: id });
    this.#firstWords ??= titleFrom(words);
  }

  #answer(message: Fields): void {
    const atMs = timeOf(message["timestamp"]);
    const id = textIn(message, "id");
    const origin = { kind: "gemini", id, model: textIn(message, "model") };
    for (const thought of listIn(message, "thoughts")) {
      if (!isRecord(thought)) continue;
      const text = [textIn(thought, "subject"), textIn(thought, "description")].filter(Boolean).join("\n\n");
      const block: Json = { type: "text", text };
      if (text !== "")
        this.scribe.message(timeOf(thought["timestamp"]), "agent_thought_chunk", block, origin, {
          messageId: id,
        });
    }
    for (const part of partsIn(message["content"]))
      this.scribe.message(atMs, "agent_message_chunk", part, origin, { messageId: id });
    for (const call of listIn(message, "toolCalls")) if (isRecord(call)) this.#call(call, origin.model);
    const tokens = recordIn(message, "tokens");
    if (tokens !== undefined) this.scribe.usage(usageOf(tokens));
  }

  #call(call: Fields, model: string | undefined): void {
    const toolCallId = textIn(call, "id");
    if (toolCallId === undefined) return;
    const atMs = timeOf(call["timestamp"]);
    const name = textIn(call, "name") ?? "tool";
    const origin = { kind: `toolCall ${name}`, id: toolCallId, model };
    const plan = isPlanTool(name) ? planOf(recordIn(call, "args") ?? {}) : undefined;
    if (plan !== undefined) return this.scribe.plan(atMs, plan, origin);
    const { status, content } = outputOf(call);
    this.scribe.toolCall(atMs, { toolCallId, status, ...shownCall(name, call), content }, origin);
  }
}

/** What older versions say to begin with, in the user's name. */
function isSetUp(words: string): boolean {
  return words.startsWith("This is the Gemini CLI. We are setting up the context for our chat.");
}
