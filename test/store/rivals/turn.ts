/** Turns written straight into a store, and the history that the checker judges them by. */
import type { SessionId } from "../../../src/base/ids.ts";
import type { Lease, NewEntry, Store } from "../../../src/store/contract.ts";
import { anEntry, aSession } from "../../conformance/samples.ts";
import type { HistoryEvent } from "../../torture/checker/history.ts";
import { stampName, stampText, type Stamp } from "../../torture/checker/stamps.ts";
import type { NewSession } from "../../../src/store/contract.ts";

const piecesPerAppend = 2;
const appends = 2;

export class Writer {
  readonly #store: Store;
  readonly #name: string;
  readonly #note: (event: HistoryEvent) => void;
  #requests = 0;

  /** @param name in letters: told apart from every other writer by it */
  constructor(store: Store, name: string, note: (event: HistoryEvent) => void) {
    this.#store = store;
    this.#name = name;
    this.#note = note;
  }

  async create(facts: Partial<NewSession> = {}, isJudged = true): Promise<SessionId> {
    const answer = this.#ask("session/new", {});
    const { id, metadata } = await this.#store.create(aSession(facts));
    if (isJudged) answer({ sessionId: id, metadata });
    return id;
  }

  async delete(sessionId: SessionId): Promise<void> {
    const answer = this.#ask("session/delete", { sessionId });
    await this.#store.delete(sessionId);
    answer({});
  }

  /** A prompt, an answer in pieces, and its end; then what is streamed is sealed. */
  async turn(sessionId: SessionId, lease: Lease): Promise<void> {
    const record = await this.#store.get(sessionId);
    let head = record?.headSeq ?? 0;
    // What a predecessor left open is final from now on.
    if (record && head > record.sealedSeq)
      head = await this.#store.seal(sessionId, { from: head + 1, head }, [], lease);
    const prompt = `${this.#name}${(this.#requests += 1)}`;
    const asked = stampText({ prompt, thing: "p0", count: 1 });
    const answer = this.#ask("session/prompt", { sessionId, prompt: [{ type: "text", text: asked }] });
    head = await this.#store.append(sessionId, head, [{ ...anEntry(asked), kind: "prompt" }], lease);
    const from = head + 1;
    const pieces = Array.from({ length: appends * piecesPerAppend }, (_, at): Stamp => {
      return { prompt, thing: "m1", count: at + 1 };
    });
    for (let at = 0; at < pieces.length; at += piecesPerAppend) {
      head = await this.#say(sessionId, head, pieces.slice(at, at + piecesPerAppend), lease);
    }
    const end = stampText({ prompt, thing: "e0", count: 1 });
    const whole = [chunkOf(pieces), { ...anEntry(end), kind: "end" as const }];
    await this.#store.seal(sessionId, { from, head }, whole, lease);
    answer({ stopReason: "end_turn", _meta: end });
  }

  async #say(sessionId: SessionId, head: number, pieces: readonly Stamp[], lease: Lease): Promise<number> {
    this.#note({ kind: "batch", sessionId, stamps: pieces.map(stampName) });
    const entries = pieces.map((piece) => chunkOf([piece]));
    const newHead = await this.#store.append(sessionId, head, entries, lease);
    for (const { data } of entries) {
      const params = { sessionId, ...(JSON.parse(data) as object) };
      this.#note({ kind: "told", client: this.#client, message: { method: "session/update", params } });
    }
    return newHead;
  }

  /** Notes the request; what it returns notes the answer. */
  #ask(method: string, params: Readonly<Record<string, unknown>>): (result: unknown) => void {
    const id = (this.#requests += 1);
    this.#note({ kind: "asked", client: this.#client, message: { id, method, params } });
    return (result) => this.#note({ kind: "told", client: this.#client, message: { id, result } });
  }

  get #client(): string {
    return `${this.#name}1`;
  }
}

/** An update with all of these pieces as its text. */
function chunkOf(pieces: readonly Stamp[]): NewEntry {
  const text = pieces.map((piece) => stampText(piece, 30)).join("");
  const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
  return anEntry("", { data: JSON.stringify({ update }) });
}
