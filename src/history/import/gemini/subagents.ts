/**
 * Subagents of Gemini CLI: each has a file beside the session, in a folder that is named by the session's id. What one
 * has said in the end is told where it was asked; what it took back is not told, because nothing goes back in a child.
 */
import { derivedId } from "../../../base/ids.ts";
import { isRecord } from "../../../base/json.ts";
import type { FoundFile } from "../files.ts";
import type { Guard } from "../guarded.ts";
import { bytesOf, linesOf } from "../lines.ts";
import type { Report } from "../native.ts";
import { listIn, recordIn, recordOf, textIn, type Fields } from "../records.ts";
import { timeOf, titleFrom, type Scribe } from "../scribe.ts";
import { wordsOf } from "../../../acp/content.ts";
import { partsIn } from "./parts.ts";
import { Speech } from "./speech.ts";

/** Going back and asking the same one again, as often as somebody likes, would make much of little. */
const mostTold = 10;

export class Subagents {
  readonly #sessionId: string;
  /** By their ids, in order. */
  readonly #messages = new Map<string, readonly Fields[]>();
  /** Each that was told, and how often. */
  readonly #told = new Map<string, number>();
  /** Those whose telling counts, in order: the last entry before it. */
  readonly #counting: { readonly id: string; readonly beforeSeq: number }[] = [];
  readonly #counts = new Set<string>();
  readonly #guard: Guard;

  constructor(sessionId: string, guard: Guard) {
    this.#sessionId = sessionId;
    this.#guard = guard;
  }

  async read({ name, path }: FoundFile, report: Report): Promise<void> {
    const kept = new Kept();
    for await (const { lines } of linesOf(bytesOf(path), path, report))
      for (const line of lines) {
        const record = recordOf(line, path, report);
        if (record !== undefined) kept.take(record);
      }
    this.#messages.set(name.slice(0, -".jsonl".length), kept.messages);
  }

  /** Once for all calls that name it; again where what was told of it before does not count any more. */
  tell(id: string, scribe: Scribe): void {
    const messages = this.#messages.get(id) ?? [];
    const times = this.#told.get(id) ?? 0;
    if (messages.length === 0 || this.#counts.has(id) || times >= mostTold) return;
    this.#told.set(id, times + 1);
    this.#counts.add(id);
    this.#counting.push({ id, beforeSeq: scribe.seq });
    const child = derivedId("gemini", this.#sessionId, id);
    const asked = messages.find((message) => textIn(message, "type") === "user") ?? {};
    const title = titleFrom(wordsOf(partsIn(asked["content"]))) ?? "subagent";
    const at = timeOf(messages[0]?.["timestamp"]);
    scribe.subagent(at, child, { title, state: { state: "idle" } }, { kind: "subagent", id });
    const speech = new Speech(scribe, child);
    for (const message of messages) this.#guard(() => say(message, speech));
  }

  /** What came behind an entry does not count any more. */
  wentBackTo(seq: number): void {
    for (let last = this.#counting.at(-1); last && last.beforeSeq >= seq; last = this.#counting.at(-1)) {
      this.#counting.pop();
      this.#counts.delete(last.id);
    }
  }

  tellRest(scribe: Scribe): void {
    for (const id of this.#messages.keys()) if (!this.#told.has(id)) this.tell(id, scribe);
  }
}

function say(message: Fields, speech: Speech): void {
  const type = textIn(message, "type");
  if (type === "gemini") speech.answer(message);
  else if (type === "user") speech.asked(message);
}

/** The messages that count at the end of a file. */
class Kept {
  readonly #byId = new Map<string, Fields>();
  readonly #order: string[] = [];

  get messages(): readonly Fields[] {
    return [...this.#byId.values()];
  }

  take(record: Fields): void {
    const to = textIn(record, "$rewindTo");
    if (to !== undefined) return this.#goBack(to);
    const set = recordIn(record, "$set");
    if (set !== undefined && Array.isArray(set["messages"])) this.#goBack(undefined);
    for (const message of [record, ...listIn(set ?? record, "messages")]) {
      const id = isRecord(message) ? textIn(message, "id") : undefined;
      if (id === undefined || !isRecord(message)) continue;
      if (!this.#byId.has(id)) this.#order.push(id);
      this.#byId.set(id, message);
    }
  }

  /** To before a message; to nothing for one that is not there. */
  #goBack(to: string | undefined): void {
    for (let last = this.#order.pop(); last !== undefined; last = last === to ? undefined : this.#order.pop())
      this.#byId.delete(last);
  }
}
