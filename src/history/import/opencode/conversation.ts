/** The messages of a session of opencode, one by one, and those of its subagents' sessions where they were asked. */
import { derivedId, type SessionId } from "../../../base/ids.ts";
import { isRecord, type Json } from "../../../base/json.ts";
import { recordIn, textIn, type Fields } from "../records.ts";
import { Scribe, titleFrom } from "../scribe.ts";
import type { KeptMessage, KeptPart, KeptSession } from "./kept.ts";
import { fileBlock, planIn, shownCall } from "./tools.ts";

/** Whose messages they are: the session's own, or a subagent's. */
interface Whose {
  readonly child: SessionId | undefined;
}

export class OpencodeConversation {
  readonly scribe = new Scribe();
  readonly #session: KeptSession;
  /** Where the part begins that does not count: the last entry before it. */
  #revertSeq: number | undefined;
  #firstWords: string | undefined;
  #usage: Record<string, number> = {};

  constructor(session: KeptSession) {
    this.#session = session;
  }

  /** What it was given to begin with is no title. */
  get title(): string | undefined {
    const { title = "" } = this.#session;
    return /^(?:New|Child) session - /.test(title)
      ? this.#firstWords
      : (titleFrom(title) ?? this.#firstWords);
  }

  /** @returns the sessions of subagents that were asked in it */
  take(message: KeptMessage, whose: Whose = { child: undefined }): string[] {
    const isPrompt = message.role === "user" && whose.child === undefined;
    const isRevert = whose.child === undefined && this.#session.revert?.messageId === message.id;
    const { partId } = this.#session.revert ?? {};
    if (isPrompt) return this.#prompt(message, isRevert);
    if (isRevert && partId === undefined) this.#markRevert();
    if (message.role === "user") return this.#asked(message, whose);
    if (message.info["summary"] === true) return this.#summary(message);
    const asked = message.parts.flatMap((part) => {
      if (isRevert && part.id === partId) this.#markRevert();
      return this.#say(message, part, whose);
    });
    if (whose.child === undefined) this.#end(message.info);
    return asked;
  }

  /** Before what is said in a subagent's session. */
  announce(id: string, { createdAtMs, title }: KeptSession): SessionId {
    const child = derivedId("opencode", this.#session.id, id);
    const shown = { title: titleFrom(title ?? "") ?? "subagent", state: { state: "idle" } };
    this.scribe.subagent(createdAtMs, child, shown, { kind: "session", id });
    return child;
  }

  finish(): void {
    if (this.#revertSeq === undefined) return;
    const id = this.#session.revert?.messageId;
    this.scribe.rewind(this.scribe.lastMs, this.#revertSeq, { kind: "session.revert", id });
  }

  #markRevert(): void {
    this.#revertSeq ??= this.scribe.seq;
  }

  #prompt(message: KeptMessage, isRevert: boolean): string[] {
    const blocks = blocksOf(message.parts);
    if (blocks.length === 0) return [];
    this.scribe.endTurn();
    if (isRevert) this.#markRevert();
    this.scribe.prompt(
      message.atMs,
      blocks,
      { kind: "message user", id: message.id },
      { messageId: message.id },
    );
    this.#usage = {};
    const [first] = blocks;
    this.#firstWords ??= titleFrom(isRecord(first) ? (textIn(first, "text") ?? "") : "");
    return [];
  }

  #asked({ id, atMs, parts }: KeptMessage, { child }: Whose): string[] {
    for (const block of blocksOf(parts))
      this.scribe.message(
        atMs,
        "user_message_chunk",
        block,
        { kind: "message user", id },
        { messageId: id, child },
      );
    return [];
  }

  #summary({ id, atMs, parts }: KeptMessage): string[] {
    const text = parts
      .map(({ fields }) => (fields["type"] === "text" ? (textIn(fields, "text") ?? "") : ""))
      .join("");
    this.scribe.summary(atMs, id, text, { kind: "message summary", id });
    return [];
  }

  #say({ id, info, atMs }: KeptMessage, part: KeptPart, { child }: Whose): string[] {
    const { fields } = part;
    const origin = { kind: `part ${textIn(fields, "type") ?? "?"}`, id: part.id, model: modelIn(info) };
    const text = textIn(fields, "text") ?? "";
    const started = (recordIn(fields, "time") ?? {})["start"];
    const at = typeof started === "number" ? started : atMs;
    if (fields["type"] === "text" && text !== "" && fields["ignored"] !== true)
      this.scribe.message(at, "agent_message_chunk", { type: "text", text }, origin, {
        messageId: id,
        child,
      });
    else if (fields["type"] === "reasoning" && text.trim() !== "")
      this.scribe.message(at, "agent_thought_chunk", { type: "text", text }, origin, {
        messageId: id,
        child,
      });
    else if (fields["type"] === "tool") return this.#call(at, fields, origin, child);
    return [];
  }

  #call(
    atMs: number,
    fields: Fields,
    origin: { kind: string; id: string },
    child: SessionId | undefined,
  ): string[] {
    const plan = planIn(fields);
    if (plan !== undefined) {
      this.scribe.plan(atMs, plan, origin, child);
      return [];
    }
    const toolCallId = textIn(fields, "callID") ?? origin.id;
    this.scribe.toolCall(atMs, { toolCallId, ...shownCall(fields) }, origin, child);
    const asked = textIn(recordIn(recordIn(fields, "state") ?? {}, "metadata") ?? {}, "sessionId");
    return asked === undefined ? [] : [asked];
  }

  /** An answer tells what it cost; one that failed ends its turn with that. */
  #end(info: Fields): void {
    const tokens = recordIn(info, "tokens");
    if (tokens !== undefined) this.#count(tokens);
    const error = recordIn(info, "error");
    const name = error && textIn(error, "name");
    if (name === "MessageAbortedError") this.scribe.endTurn({ result: { stopReason: "cancelled" } });
    else if (name !== undefined) this.scribe.endTurn({ error: { code: -32603, message: name } });
  }

  #count(tokens: Fields): void {
    const cache = recordIn(tokens, "cache") ?? {};
    const add = (name: string, value: unknown) => {
      this.#usage[name] = (this.#usage[name] ?? 0) + (Number.isSafeInteger(value) ? (value as number) : 0);
    };
    add("inputTokens", tokens["input"]);
    add("outputTokens", tokens["output"]);
    add("thoughtTokens", tokens["reasoning"]);
    add("cachedReadTokens", cache["read"]);
    add("cachedWriteTokens", cache["write"]);
    const totalTokens = Object.values(this.#usage).reduce((sum, each) => sum + each, 0);
    this.scribe.usage({ totalTokens, ...this.#usage });
  }
}

function blocksOf(parts: readonly KeptPart[]): Json[] {
  return parts.flatMap(({ fields }): Json[] => {
    const text = textIn(fields, "text") ?? "";
    // What the program adds is no word of the user.
    if (fields["type"] === "text")
      return text === "" || fields["synthetic"] === true ? [] : [{ type: "text", text }];
    const file = fields["type"] === "file" ? fileBlock(fields) : undefined;
    return file === undefined ? [] : [file];
  });
}

function modelIn(info: Fields): string | undefined {
  return textIn(info, "modelID") ?? textIn(recordIn(info, "model") ?? {}, "id");
}
