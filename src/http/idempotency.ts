/**
 * `Idempotency-Key`: a request that comes again with the same key is answered as the first one was, and done once. What
 * failed is done anew. The newest answers are known, as long as this process lives; what was made says its key itself
 * and is found by it after that.
 */
import { createHash } from "node:crypto";
import { RecentMap } from "../base/recent-map.ts";
import { Refusal } from "./problems.ts";
import type { Answer } from "./answer.ts";

/** Half of these at least. */
const mostKnown = 2000;
const longestKey = 200;
/** Of larger answers fewer are kept, and of the largest none. */
const [mostLong, mostChars, mostLongChars] = [64, 16 << 10, 256 << 10];

interface Known {
  readonly request: string;
  /** `events`: it was told as they happened. */
  readonly answer: Promise<Answer | Response | "events">;
}

export class Idempotency {
  readonly #known = new RecentMap<string, Known>(mostKnown);
  readonly #long = new RecentMap<string, Known>(mostLong);

  /** The key as nobody else's can be. Undefined where none is sent. Errors: 400. */
  keyOf(request: Request, tokenId: string): string | undefined {
    const key = request.method === "POST" ? request.headers.get("idempotency-key") : null;
    if (key === null) return undefined;
    if (key.length > longestKey || !/^[\x21-\x7e]+$/.test(key))
      throw new Refusal(
        400,
        `Idempotency-Key must have 1 to ${longestKey} visible characters, such as a UUID`,
      );
    return createHash("sha256")
      .update(JSON.stringify([tokenId, key]))
      .digest("base64url");
  }

  /**
   * @param asked what is asked for: with the same key it must be the same.
   * Errors: 422 where it is not; 409 for what was told as a stream of events; those of `act`
   */
  once(
    key: string,
    asked: readonly unknown[],
    act: () => Promise<Answer | Response>,
  ): Promise<Answer | Response> {
    const request = createHash("sha256").update(JSON.stringify(asked)).digest("base64url");
    const known = this.#known.get(key) ?? this.#long.get(key);
    if (known !== undefined) {
      if (known.request === request) return again(known.answer, act);
      throw new Refusal(422, "This Idempotency-Key was used for another request: use a new key for each");
    }
    const answer = act();
    this.#known.set(key, { request, answer });
    answer.then(
      (done) => this.#keep(key, request, done),
      () => this.#known.delete(key),
    );
    return answer;
  }

  #keep(key: string, request: string, done: Answer | Response): void {
    if (isEvents(done)) return this.#known.set(key, { request, answer: Promise.resolve("events") });
    const isStream = done instanceof Response;
    const chars = isStream ? 0 : (done.text ?? JSON.stringify(done.body ?? "")).length;
    if (!isStream && chars <= mostChars) return;
    this.#known.delete(key);
    if (!isStream && chars <= mostLongChars) this.#long.set(key, { request, answer: Promise.resolve(done) });
  }
}

/** A file that is written while it is read changes nothing, and is written once more. A turn is not run once more. */
async function again(
  known: Known["answer"],
  act: () => Promise<Answer | Response>,
): Promise<Answer | Response> {
  const answer = await known;
  if (answer === "events" || isEvents(answer))
    throw new Refusal(
      409,
      "This was done with the same Idempotency-Key and told as a stream, which cannot be told again: the session's history and events have it",
    );
  return answer instanceof Response ? act() : answer;
}

function isEvents(answer: Answer | Response): boolean {
  return answer instanceof Response && answer.headers.get("content-type") === "text/event-stream";
}
