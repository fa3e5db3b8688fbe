/** Our requests to a peer while they wait for its answers. */
import { isRecord } from "../base/json.ts";
import { receivedError } from "./errors.ts";
import type { RequestId, ResponseMessage } from "./messages.ts";

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class OutgoingRequests {
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;

  /** A new id, and what its answer settles. */
  open(): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    return { id, answer };
  }

  /** The peer has answered. An answer that nobody waits for is dropped. */
  answered({ id, result, error }: ResponseMessage): void {
    const number = numberOf(id);
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#waiting.delete(number);
    if (isRecord(error)) waiting.reject(receivedError(error));
    else waiting.resolve(result);
  }

  /** It could not be sent, so nobody waits for its answer. */
  withdraw(id: number): void {
    this.#waiting.delete(id);
  }

  /** There will be no answers. */
  rejectAll(reason: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

/** Ours are numbers; some peers echo them as strings. */
function numberOf(id: RequestId): number {
  if (typeof id === "number") return id;
  return /^\d{1,15}$/.test(id) ? Number(id) : -1;
}
