/**
 * What happens, said to whoever counts it. Who says it knows nothing of how it is shown, and need not wait until what
 * counts is loaded: that comes after the first answer, and is told then what was said before.
 */

/** What is counted. What each means, and its labels, is in `figures/table.ts`. */
export type Counted =
  | "requests"
  | "httpRequests"
  | "storeOperations"
  | "storeEntries"
  | "storeChars"
  | "updates"
  | "turns"
  | "tokens"
  | "agentStarts"
  | "agentRestarts"
  | "agentDeaths"
  | "upkeepRounds"
  | "told";
/** What is timed, in seconds. */
export type Timed = "request" | "httpRequest" | "storeOperation" | "turn" | "loopDelay";

/** Facts of a turn that has ended; nothing of what was said in it. */
export interface EndedTurn {
  readonly sessionId: string;
  /** Since 1970. */
  readonly sinceMs: number;
  readonly durationMs: number;
  /** As it counts: the agent's stop reason, in which there may be anything, or `failed`. */
  readonly outcome: string;
  /** Of one that failed: our code, or the JSON-RPC number of the agent's error. */
  readonly errorCode?: string;
  /** What the agent calls itself. */
  readonly agent: { readonly name?: string; readonly version?: string };
  /** By kind, as the agent reports them. */
  readonly tokens: Readonly<Record<string, number>>;
  /** The trace to which its prompt belongs, as the client names it. */
  readonly trace: { readonly traceparent?: string; readonly tracestate?: string };
}

export interface Counting {
  /** @param of the values of its labels with spaces between: from a fixed set; what is not in that counts as `other` */
  add(what: Counted, of?: string, by?: number): void;
  time(what: Timed, of: string, seconds: number): void;
  /** For whoever wants more of a turn than is counted of it: nobody else has it put together. */
  turn?(ended: () => EndedTurn): void;
}

/** Counts nothing. */
export const noMeter: Counting = { add: () => undefined, time: () => undefined };

/** So much is kept until somebody counts it. */
const mostKept = 5000;

type Told = (to: Counting) => void;

export class Meter implements Counting {
  #to: Counting | undefined;
  #kept: Told[] = [];

  add(what: Counted, of?: string, by?: number): void {
    if (this.#to !== undefined) this.#to.add(what, of, by);
    else this.#keep((to) => to.add(what, of, by));
  }

  time(what: Timed, of: string, seconds: number): void {
    if (this.#to !== undefined) this.#to.time(what, of, seconds);
    else this.#keep((to) => to.time(what, of, seconds));
  }

  turn(ended: () => EndedTurn): void {
    if (this.#to !== undefined) this.#to.turn?.(ended);
    else this.#keep((to) => to.turn?.(ended));
  }

  /** From now on it is said to `to`, beginning with what was said before. */
  tell(to: Counting): void {
    for (const told of this.#kept) told(to);
    this.#kept = [];
    this.#to = to;
  }

  #keep(told: Told): void {
    if (this.#kept.length < mostKept) this.#kept.push(told);
  }
}
