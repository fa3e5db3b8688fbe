/**
 * Opens what others on this machine ask, when a sidecar has time for it: after its client's first answer, in a quiet
 * moment. All that it needs is loaded then.
 */
import { Deferred } from "../base/deferred.ts";
import { loggedReason } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Meter } from "../base/meter.ts";
import { pause } from "../base/time.ts";
import type { Local, Subject, SubjectFacts } from "./serving.ts";
import { storeDetailsOf, type DetailedStore } from "./store-details.ts";

/** What serves a client, as others may have it. */
export interface Serving {
  /** Settles when the client has had an answer. */
  readonly answered: Pick<Deferred, "promise">;
  /** It waits for one. */
  readonly isBusy: boolean;
  facts(): SubjectFacts;
  /** Ends a session in order; false where it is not live there. */
  end(id: string): Promise<boolean>;
  /** Its clients are told that it will end. */
  tellOfEnd(): Promise<void>;
}

export interface LateParts {
  /** None for the built-in one. */
  readonly agent?: { readonly command: string };
  readonly store: DetailedStore;
  /** Where that is, without secrets. */
  readonly place: string;
  readonly meter: Meter;
  readonly log: Logger;
}

/** Looked at so often whether nothing is asked for, and so many times at most. */
const [quietMs, mostLooks] = [250, 12];

export class LateLocal {
  readonly #serving: Serving;
  readonly #parts: LateParts;
  readonly #closed = new AbortController();
  readonly #told = new Deferred();
  readonly #opening: Promise<Local | undefined>;
  #isAnswered = false;

  constructor(serving: Serving, parts: LateParts) {
    this.#serving = serving;
    this.#parts = parts;
    this.#opening = this.#open();
  }

  /** Settles when somebody on this machine has told the process to end. */
  get toldToEnd(): Promise<void> {
    return this.#told.promise;
  }

  /** What was counted is kept, also by a process that had no quiet moment. */
  async close(): Promise<void> {
    this.#closed.abort();
    const local = this.#isAnswered ? await this.#opening : undefined;
    await local?.close();
  }

  async #open(): Promise<Local | undefined> {
    const { signal } = this.#closed;
    await this.#serving.answered.promise;
    this.#isAnswered = true;
    for (let looks = 0; looks < mostLooks && !signal.aborted; looks += 1) {
      await pause(quietMs, signal);
      if (!this.#serving.isBusy) break;
    }
    const { log } = this.#parts;
    try {
      const { openLocal } = await import("./serving.ts");
      return await openLocal(this.#subject(), { isEnding: signal.aborted });
    } catch (error) {
      log.warn({ error: loggedReason(error, log) }, "what others on this machine ask is not answered");
      return undefined;
    }
  }

  #subject(): Subject {
    const { agent, store, place, meter, log } = this.#parts;
    const serving = this.#serving;
    return {
      kind: "serve",
      agent: agent?.command ?? "echo",
      store: place,
      meter,
      log,
      facts: () => serving.facts(),
      endSession: (id) => serving.end(id),
      endProcess: async () => {
        await serving.tellOfEnd();
        this.#told.settle();
      },
      ...storeDetailsOf(store),
    };
  }
}
