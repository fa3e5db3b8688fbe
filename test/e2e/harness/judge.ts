/** Judges whole directions of a conversation: each message by the schema, and requests against answers. */
import { faultsOfMessage, type Side } from "./schema-judge.ts";
import type { Id, Message, Recorded } from "./wire.ts";

const keyOf = (id: Id | undefined): string => JSON.stringify(id);

/** One direction as it grows: `sent` is judged, `received` says which requests it answers. */
export class Judge {
  readonly #receiver: Side;
  readonly #asked = new Map<string, { method: string; count: number }>();
  readonly #answered = new Map<string, number>();
  readonly #used = new Set<string>();
  readonly #faults: string[] = [];

  constructor(receiver: Side) {
    this.#receiver = receiver;
  }

  /** A request that the receiver made, which `sent` will answer. */
  asked(id: Id, method: string): void {
    const count = this.#asked.get(keyOf(id))?.count ?? 0;
    this.#asked.set(keyOf(id), { method, count: count + 1 });
  }

  sent({ text, message }: Recorded): void {
    if (message === undefined) {
      this.#blame("not a JSON object", text);
      return;
    }
    const methodOf = (response: Message) => this.#asked.get(keyOf(response.id))?.method;
    for (const fault of faultsOfMessage(message, this.#receiver, methodOf)) this.#blame(fault, text);
    if (message.method === undefined) this.#judgeAnswer(message, text);
    else if (message.id !== undefined) this.#judgeRequest(message.id, text);
  }

  /** The faults found since the last call. */
  takeFaults(): string[] {
    return this.#faults.splice(0);
  }

  #judgeAnswer(message: Message, text: string): void {
    if (message.id === null) return;
    const key = keyOf(message.id);
    const answers = (this.#answered.get(key) ?? 0) + 1;
    this.#answered.set(key, answers);
    if (answers > (this.#asked.get(key)?.count ?? 0)) this.#blame("answers what was not asked", text);
  }

  #judgeRequest(id: Id, text: string): void {
    if (id === null || this.#used.has(keyOf(id))) this.#blame("a request with a used or null id", text);
    this.#used.add(keyOf(id));
  }

  #blame(fault: string, text: string): void {
    const shown = text.length > 400 ? `${text.slice(0, 400)}…` : text;
    this.#faults.push(`to the ${this.#receiver}: ${fault}\n    ${shown}`);
  }
}
