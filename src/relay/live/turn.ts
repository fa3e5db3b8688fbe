/** One prompt turn: how far it has come, how it ends, and who hears what its agent says of it. */
import { Deferred } from "../../base/deferred.ts";
import type { NewEntry } from "../../store/contract.ts";

/** `client`: journaled and forwarded; `journal`: kept from the client; `nobody`: dropped. */
export type Audience = "client" | "journal" | "nobody";

/** How a turn ended: with the agent's answer, or with an error. */
export type TurnOutcome =
  | { readonly type: "answer"; readonly result: unknown }
  | { readonly type: "error"; readonly error: unknown };

/**
 * `queued`: the agent does not have the prompt yet. `running`: it has. `cancelling`: it has been asked to stop, and has
 * a grace time to do so. `ended`: over for the client; an agent that we did not wait for may still be at it.
 */
type TurnState = "queued" | "running" | "cancelling" | "ended";

const cancelled: TurnOutcome = { type: "answer", result: { stopReason: "cancelled" } };

export class Turn {
  readonly sinceMs = Date.now();
  /** The same by the clock that measures. */
  readonly beganMs = performance.now();
  /** Where the conversation ended before the prompt; undefined until the prompt is in the journal. */
  historySeq: number | undefined;
  /** What was final then: behind it entries may be folded, and have other numbers. */
  finalSeq: number | undefined;
  /** The agent's session to which the prompt brings the conversation so far. */
  handedOverTo: string | undefined;
  /** What the agent was told of changed files with the prompt, as an entry. */
  noted: NewEntry | undefined;
  #state: TurnState = "queued";
  #audience: Audience = "client";
  /** How it will end, as far as is known; a failure of the session may still take its place. */
  #outcome: TurnOutcome | undefined;
  readonly #decided = new Deferred<TurnOutcome>();
  readonly #agentDone = new Deferred();
  readonly #over = new Deferred();
  #grace: { readonly deadlineMs: number; readonly timer: NodeJS.Timeout } | undefined;

  get state(): TurnState {
    return this.#state;
  }

  /** Settles when it is known how the turn ends: the agent has answered, or we have ended it. */
  get decided(): Promise<TurnOutcome> {
    return this.#decided.promise;
  }

  /** Settles when the turn has ended and its end is in the journal, if the store takes it. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Settles when the agent says nothing more of the turn: it has answered, is dead, or never got the prompt. */
  get agentDone(): Promise<void> {
    return this.#agentDone.promise;
  }

  get isAgentDone(): boolean {
    return this.#agentDone.isSettled;
  }

  /** We have ended it, and have not waited for the agent. */
  get isForced(): boolean {
    return this.#audience !== "client";
  }

  /** How it will end, where that is known already. */
  get outcome(): TurnOutcome | undefined {
    return this.#outcome;
  }

  /** Who may see what the agent says of the turn now. */
  get audience(): Audience {
    return this.isAgentDone ? "client" : this.#audience;
  }

  /** The prompt is about to be sent, perhaps once more. False when the turn has been ended meanwhile. */
  send(): boolean {
    if (this.#outcome !== undefined) return false;
    if (this.#state === "queued") this.#state = "running";
    return true;
  }

  /**
   * Asked to stop: what has not been sent ends at once, what has gets `graceMs` to end by itself. Asked again,
   * the earlier deadline holds.
   */
  cancel(graceMs: number, onDeaf: () => void): void {
    if (this.#state === "queued") return this.end(cancelled, "journal");
    const deadlineMs = performance.now() + graceMs;
    if (this.#outcome !== undefined || (this.#grace && this.#grace.deadlineMs <= deadlineMs)) return;
    this.#state = "cancelling";
    this.#endGrace();
    const timer = setTimeout(() => {
      onDeaf();
      this.end(cancelled, "journal");
    }, graceMs);
    this.#grace = { deadlineMs, timer };
  }

  /** The agent has answered, or nothing more is to be expected from it. */
  agentAnswered(outcome: TurnOutcome): void {
    this.#agentDone.settle();
    if (this.#outcome === undefined) this.#decide(outcome);
  }

  /**
   * Ends the turn for the client, whatever the agent does. An error of the session counts even when the agent has
   * answered, as long as the client has not been told.
   */
  end(outcome: TurnOutcome, audience: Exclude<Audience, "client">): void {
    if (this.isForced || this.#state === "ended") return;
    if (this.#outcome !== undefined && audience !== "nobody") return;
    this.#audience = audience;
    if (this.#state === "queued") this.#agentDone.settle();
    this.#decide(outcome);
  }

  /** The turn ends now, and this is how. */
  conclude(): TurnOutcome {
    if (this.#outcome === undefined) throw new Error("a turn that nobody has ended");
    this.#state = "ended";
    return this.#outcome;
  }

  noteOver(): void {
    this.#over.settle();
  }

  #decide(outcome: TurnOutcome): void {
    this.#outcome = outcome;
    this.#endGrace();
    this.#decided.settle(outcome);
  }

  #endGrace(): void {
    clearTimeout(this.#grace?.timer);
  }
}
