/**
 * The records of a session of Claude Code, one by one. They are a graph by `parentUuid`; within a turn its order is that of
 * the file, because results of calls side by side hang on different records. A prompt whose parent stands in an earlier
 * turn goes on from there: what came between does not count any more.
 */
import { isRecord, type Json } from "../../../base/json.ts";
import { listIn, recordIn, textIn, type Fields } from "../records.ts";
import { Scribe, timeOf, titleFrom } from "../scribe.ts";
import { KnownRecords } from "./records.ts";
import { Sidechains } from "./sidechains.ts";
import { Speech, type Beside } from "./speech.ts";
import { blockOf } from "./tools.ts";
import { wordsIn, type Words } from "./words.ts";

/** What is said of the session itself, by the record that says it: the user's own title counts most. */
const titleFields = {
  "custom-title": "customTitle",
  "agent-name": "agentName",
  "ai-title": "aiTitle",
  summary: "summary",
};

export class ClaudeConversation {
  readonly scribe = new Scribe();
  cwd: string | undefined;
  readonly #speech: Speech;
  readonly #sidechains: Sidechains;
  readonly #records = new KnownRecords();
  #messageId: string | undefined;
  readonly #titles = new Map<string, string>();
  #firstWords: string | undefined;
  /** By turn: the last entry of it. */
  readonly #lastSeq: number[] = [0];
  #turn = 0;
  #boundary: string | undefined;

  constructor(sessionId: string, beside: Beside) {
    this.#speech = new Speech(this.scribe, beside);
    this.#sidechains = new Sidechains(sessionId, this.scribe, beside);
  }

  get title(): string | undefined {
    const told = Object.keys(titleFields).map((type) => this.#titles.get(type));
    return told.find((title) => title !== undefined) ?? this.#firstWords;
  }

  /** @returns the subagent whose work has ended with this record, by the program's id of it */
  take(fields: Fields): string | undefined {
    const type = textIn(fields, "type") ?? "";
    this.cwd ??= textIn(fields, "cwd");
    if (Object.hasOwn(titleFields, type)) this.#note(type as keyof typeof titleFields, fields);
    const uuid = textIn(fields, "uuid");
    if (uuid === undefined) return undefined;
    const isAgain = this.#records.has(uuid);
    if (!this.#records.isNew(uuid, fields)) return undefined;
    if (fields["isSidechain"] === true) {
      this.#sidechains.take(fields);
      return undefined;
    }
    // Of two with one id, the first is the one that is meant by it.
    this.#messageId = isAgain ? undefined : uuid;
    if (type === "user") return this.#user(uuid, fields);
    this.#place(uuid, fields);
    if (type === "assistant") this.#speech.answer(fields);
    else if (type === "attachment") this.#attachment(uuid, fields);
    else if (type === "system") this.#system(uuid, fields);
    return undefined;
  }

  #place(uuid: string, fields: Fields): void {
    const parent = textIn(fields, "parentUuid");
    const turn = parent === undefined ? undefined : this.#records.turnOf(parent);
    this.#records.place(uuid, turn ?? this.#turn);
  }

  #note(type: keyof typeof titleFields, fields: Fields): void {
    const title = titleFrom(textIn(fields, titleFields[type]) ?? "");
    if (title !== undefined) this.#titles.set(type, title);
  }

  #user(uuid: string, fields: Fields): string | undefined {
    const message = recordIn(fields, "message") ?? {};
    if (fields["isCompactSummary"] === true) {
      this.#place(uuid, fields);
      this.#summary(uuid, fields, message);
    } else if (this.#speech.results(fields)) this.#place(uuid, fields);
    else if (fields["isMeta"] === true) this.#place(uuid, fields);
    else this.#words(uuid, fields, message);
    const told = fields["toolUseResult"];
    return isRecord(told) ? textIn(told, "agentId") : undefined;
  }

  #words(uuid: string, fields: Fields, message: Fields): void {
    const content = message["content"];
    const blocks =
      typeof content === "string" ? [{ type: "text", text: content }] : listIn(message, "content");
    const [first] = blocks;
    const words = blocks.length === 1 && isRecord(first) ? wordsIn(textIn(first, "text") ?? "") : undefined;
    if (words === undefined || (words.type === "nothing" && isImage(first))) {
      this.#prompt(
        uuid,
        fields,
        blocks.flatMap((block) => blockOf(block) ?? []),
      );
    } else this.#single(uuid, fields, words);
  }

  #single(uuid: string, fields: Fields, words: Words): void {
    if (words.type === "prompt") return this.#prompt(uuid, fields, [{ type: "text", text: words.text }]);
    this.#place(uuid, fields);
    const at = timeOf(fields["timestamp"]);
    if (words.type === "interrupted") this.scribe.endTurn({ result: { stopReason: "cancelled" } });
    else if (words.type !== "nothing") {
      const role = words.type === "output" ? "agent_message_chunk" : "user_message_chunk";
      const origin = { kind: `user ${words.type}`, id: uuid };
      this.scribe.message(at, role, { type: "text", text: words.text }, origin, {});
    }
  }

  #prompt(uuid: string, fields: Fields, blocks: readonly Json[]): void {
    if (blocks.length === 0) return this.#place(uuid, fields);
    this.#turnTo(uuid, fields);
    this.scribe.prompt(
      timeOf(fields["timestamp"]),
      blocks,
      { kind: "user", id: uuid },
      { messageId: this.#messageId },
    );
    this.#speech.newTurn();
    this.#firstWords ??= titleFrom(
      blocks.map((block) => (isRecord(block) ? (textIn(block, "text") ?? "") : "")).join(""),
    );
  }

  /** A new turn; if it hangs on an earlier one than the last, the journal goes back to the end of that. */
  #turnTo(uuid: string, fields: Fields): void {
    const { scribe } = this;
    scribe.endTurn();
    this.#lastSeq[this.#turn] = scribe.seq;
    const parent = textIn(fields, "parentUuid");
    const isFirst = parent === undefined && fields["parentUuid"] === null && this.#boundary === undefined;
    const from = parent === undefined ? undefined : this.#records.turnOf(parent);
    const goesBackTo = isFirst ? 0 : (from ?? this.#turn);
    const seq = this.#lastSeq[goesBackTo] ?? 0;
    if (goesBackTo !== this.#turn)
      scribe.rewind(timeOf(fields["timestamp"]), seq, { kind: "user", id: uuid });
    this.#turn = this.#lastSeq.length;
    this.#lastSeq.push(scribe.seq);
    this.#records.place(uuid, this.#turn);
  }

  /** What the user said while the agent was at work. */
  #attachment(uuid: string, fields: Fields): void {
    const attachment = recordIn(fields, "attachment") ?? {};
    if (attachment["type"] !== "queued_command" || attachment["isMeta"] === true) return;
    const mode = textIn(attachment, "commandMode") ?? "prompt";
    const kind = textIn(recordIn(attachment, "origin") ?? {}, "kind") ?? "human";
    const prompt = attachment["prompt"];
    const blocks = (Array.isArray(prompt) ? prompt : [prompt]).flatMap((block) => blockOf(block) ?? []);
    if (mode !== "prompt" || kind !== "human" || blocks.length === 0) return;
    const at = timeOf(fields["timestamp"]);
    const origin = { kind: "attachment queued_command", id: uuid };
    this.scribe.prompt(at, blocks, origin, { messageId: this.#messageId, isWithin: true });
  }

  #system(uuid: string, fields: Fields): void {
    const subtype = textIn(fields, "subtype");
    if (subtype === "compact_boundary") this.#boundary = uuid;
    else if (subtype === "turn_duration") this.scribe.endTurn();
    else if (subtype === "local_command") {
      const words = wordsIn(textIn(fields, "content") ?? "");
      if (words.type === "prompt") this.#prompt(uuid, fields, [{ type: "text", text: words.text }]);
      else this.#single(uuid, fields, words);
    }
  }

  #summary(uuid: string, fields: Fields, message: Fields): void {
    const content = message["content"];
    const text = (Array.isArray(content) ? content : [content])
      .map((block) =>
        typeof block === "string" ? block : isRecord(block) ? (textIn(block, "text") ?? "") : "",
      )
      .join("");
    this.scribe.summary(timeOf(fields["timestamp"]), this.#boundary ?? uuid, text, {
      kind: "compact",
      id: uuid,
    });
  }
}

function isImage(block: unknown): boolean {
  return isRecord(block) && block["type"] !== "text";
}
