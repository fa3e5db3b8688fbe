/**
 * The records of a session of Gemini CLI. A message with an id that was there before takes its place; a list of messages
 * takes the place of all; going back drops a message and what follows. What had to go is written all the same, as what
 * does not count any more.
 */
import { isRecord } from "../../../base/json.ts";
import type { Guard } from "../guarded.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { Scribe, timeOf, titleFrom, type Origin } from "../scribe.ts";
import { wordsOf } from "../../../acp/content.ts";
import { partsIn } from "./parts.ts";
import { Speech } from "./speech.ts";
import type { Subagents } from "./subagents.ts";

export class GeminiConversation {
  readonly scribe = new Scribe();
  title: string | undefined;
  directory: string | undefined;
  #firstWords: string | undefined;
  /** Not written yet, because they may change: in order. */
  #waiting = new Map<string, Fields>();
  /** Of those that are written and count: the last entry before each; and in which order they stand. */
  readonly #before = new Map<string, number>();
  readonly #order: string[] = [];

  readonly #subagents: Subagents;
  readonly #speech: Speech;

  readonly #guard: Guard;

  constructor(subagents: Subagents, guard: Guard) {
    this.#subagents = subagents;
    this.#guard = guard;
    this.#speech = new Speech(this.scribe);
  }

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

  /** Nothing more comes. Subagents that no call has named are told last. */
  end(): void {
    this.#flush();
    this.#subagents.tellRest(this.scribe);
  }

  #flush(): void {
    for (const [id, message] of this.#waiting) {
      if (textIn(message, "type") === "user") this.scribe.endTurn();
      this.#noteWritten(id);
      this.#guard(() => this.#write(message));
    }
    this.#waiting.clear();
  }

  #noteWritten(id: string): void {
    this.#before.set(id, this.scribe.seq);
    this.#order.push(id);
  }

  #meta(fields: Fields): void {
    this.title = titleFrom(textIn(fields, "summary") ?? "") ?? this.title;
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
    this.#flush();
    // One that is not there drops all.
    const seq = this.#before.get(id) ?? 0;
    for (let last = this.#order.pop(); last !== undefined; last = last === id ? undefined : this.#order.pop())
      this.#before.delete(last);
    this.#rewind(seq, { kind: isWaiting ? "$rewindTo" : "again", id });
  }

  #rewind(seq: number, origin: Origin): void {
    this.scribe.rewind(this.scribe.lastMs, seq, origin);
    this.#subagents.wentBackTo(seq);
  }

  /** A list that begins with a summary stands for what was before; any other takes its place. */
  #replaceAll(list: readonly unknown[]): void {
    const messages = list.filter(isRecord);
    const ids = new Set(messages.map((message) => textIn(message, "id")));
    const summary = messages.find((message) => summaryIn(message) !== undefined);
    if (summary !== undefined) this.#summarise(summary, messages);
    else {
      // What is told again is not told twice; what is not would be lost.
      if ([...this.#waiting.keys()].some((id) => !ids.has(id))) this.#flush();
      if (this.#before.size > 0) this.#rewind(0, { kind: "$set messages" });
      this.#before.clear();
      this.#order.length = 0;
      this.#waiting.clear();
      for (const message of messages) this.#note(message);
    }
  }

  #summarise(summary: Fields, messages: readonly Fields[]): void {
    this.#flush();
    const id = textIn(summary, "id") ?? `summary-${this.scribe.seq + 1}`;
    if (this.#before.has(id)) return;
    this.#noteWritten(id);
    this.scribe.summary(timeOf(summary["timestamp"]), id, summaryIn(summary), { kind: "state_snapshot", id });
    const isNew = (message: Fields) => message !== summary && !this.#before.has(textIn(message, "id") ?? id);
    for (const message of messages) if (isNew(message) && !isThanks(message)) this.#note(message);
  }

  #write(message: Fields): void {
    const type = textIn(message, "type");
    if (type === "user") this.#prompt(message);
    else if (type === "gemini")
      for (const asked of this.#speech.answer(message)) this.#subagents.tell(asked, this.scribe);
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
}

/** What older versions say to begin with, in the user's name. */
function isSetUp(words: string): boolean {
  return words.startsWith("This is the Gemini CLI. We are setting up the context for our chat.");
}

/** What stands in the place of a history that has become too long. */
function summaryIn(message: Fields): string | undefined {
  const words = wordsOf(partsIn(message["content"])).trim();
  return textIn(message, "type") === "user" && words.startsWith("<state_snapshot>") ? words : undefined;
}

/** How the program lets the agent answer to that. */
function isThanks(message: Fields): boolean {
  return wordsOf(partsIn(message["content"])).trim() === "Got it. Thanks for the additional context!";
}
