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
/** Larger answers are not kept. */
const mostChars = 16 << 10;

interface Known {
  readonly request: string;
  readonly answer: Promise<Answer | Response>;
}

export class Idempotency {
  readonly #known = new RecentMap<string, Known>(mostKnown);

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

  /** @param asked what is asked for: with the same key it must be the same. Errors: 422 where it is not; those of `act` */
  once(
    key: string,
    asked: readonly unknown[],
    act: () => Promise<Answer | Response>,
  ): Promise<Answer | Response> {
    const request = createHash("sha256").update(JSON.stringify(asked)).digest("base64url");
    const known = this.#known.get(key);
    if (known !== undefined) {
      if (known.request === request) return known.answer;
      throw new Refusal(422, "This Idempotency-Key was used for another request: use a new key for each");
    }
    const answer = act();
    this.#known.set(key, { request, answer });
    answer.then(
      (done) => {
        // What is streamed cannot be told twice.
        const isLong =
          done instanceof Response || JSON.stringify(done.body ?? done.text ?? "").length > mostChars;
        if (isLong) this.#known.delete(key);
      },
      () => this.#known.delete(key),
    );
    return answer;
  }
}
