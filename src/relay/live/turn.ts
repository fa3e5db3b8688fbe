/** One prompt turn: running, asked to stop, ended by the agent or, when it does not listen, by us. */

/** `client`: journaled and forwarded; `journal`: kept from the client; `nobody`: dropped. */
export type Audience = "client" | "journal" | "nobody";

/** How a turn ended: with the agent's answer, or with an error. */
export type TurnOutcome =
  { readonly type: "answer"; readonly result: unknown } | { readonly type: "error"; readonly error: unknown };

export const cancelledOutcome: TurnOutcome = { type: "answer", result: { stopReason: "cancelled" } };

export class Turn {
  /** Settles when we end the turn ourselves. */
  readonly forced: Promise<TurnOutcome>;
  /** The prompt is in the journal. */
  isJournaled = false;
  /** The prompt is with the agent. */
  isSent = false;
  /** Settles when the turn is over for the client. */
  readonly answered: Promise<void>;
  isAnswered = false;
  /** Settles when the agent has answered, too, or is dead: it says nothing more of this turn. */
  readonly gone: Promise<void>;
  isGone = false;
  #settleGone: () => void = () => undefined;
  /** What struck the turn: it counts even when the agent has answered and only the way to the client is left. */
  failure: TurnOutcome | undefined;
  #force: (outcome: TurnOutcome) => void = () => undefined;
  #answer: () => void = () => undefined;
  #lateUpdates: Audience = "client";
  #graceTimer: NodeJS.Timeout | undefined;
  #deadlineMs = Infinity;

  constructor() {
    this.forced = new Promise((resolve) => {
      this.#force = resolve;
    });
    this.answered = new Promise((resolve) => {
      this.#answer = resolve;
    });
    this.gone = new Promise((resolve) => {
      this.#settleGone = resolve;
    });
  }

  /** The agent says nothing more of the turn. */
  noteGone(): void {
    this.isGone = true;
    this.#settleGone();
  }

  /** The turn is over for the client, and journaled. */
  noteAnswered(): void {
    this.#answer();
  }

  /** What becomes of the agent's updates: all is well unless we have ended the turn for it. */
  get lateUpdates(): Audience {
    return this.#lateUpdates;
  }

  /** The agent has nothing to say of it: it has answered, or never got the prompt. */
  get isSilent(): boolean {
    return this.isGone || (this.isForced && !this.isSent);
  }

  get isForced(): boolean {
    return this.#lateUpdates !== "client";
  }

  /**
   * Asked to stop: what has not been sent ends at once, what has gets `graceMs` to end by itself. Asked again,
   * the earlier deadline holds.
   */
  cancel(graceMs: number, onDeaf: () => void): void {
    if (!this.isSent) return this.end(cancelledOutcome, "journal");
    const deadlineMs = performance.now() + graceMs;
    if (this.#deadlineMs <= deadlineMs) return;
    this.close();
    this.#deadlineMs = deadlineMs;
    this.#graceTimer = setTimeout(() => {
      onDeaf();
      this.end(cancelledOutcome, "journal");
    }, graceMs);
  }

  /** Ends the turn for the client, whatever the agent does. */
  end(outcome: TurnOutcome, lateUpdates: Exclude<Audience, "client">): void {
    if (this.isForced || this.isAnswered) return;
    this.#lateUpdates = lateUpdates;
    if (lateUpdates === "nobody") this.failure = outcome;
    this.#force(outcome);
    this.close();
  }

  close(): void {
    clearTimeout(this.#graceTimer);
    this.#graceTimer = undefined;
  }
}
