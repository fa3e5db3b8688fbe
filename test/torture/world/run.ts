/** One run on one store: its history, its ledger, and what was found wrong. */
import { checkLedger } from "../checker/check.ts";
import { around, describe, explain } from "../checker/explain.ts";
import type { Found, HistoryEvent, Violation } from "../checker/history.ts";
import { Ledger } from "../checker/ledger.ts";

/** The promise was broken: the message explains how. */
export class PromiseBroken extends Error {
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[], explanation: string) {
    super(explanation);
    this.violations = violations;
  }
}

/** How many prompts and clients have been named. */
export interface Names {
  prompts: number;
  clients: number;
}

export class Run {
  readonly ledger = new Ledger();
  readonly #history: HistoryEvent[] = [];
  readonly #names: Names;

  /** @param names of runs that go on with what an earlier one has left: nothing gets a name twice */
  constructor(names: Names = { prompts: 0, clients: 0 }) {
    this.#names = names;
  }

  get history(): readonly HistoryEvent[] {
    return this.#history;
  }

  note(event: HistoryEvent): void {
    this.#history.push(event);
    this.ledger.note(event);
  }

  broke(what: string, damages = false): void {
    this.note({ kind: "broke", what, damages });
  }

  /** A name that no prompt has had. */
  nextPrompt(): string {
    return `p${(this.#names.prompts += 1)}`;
  }

  /** @param person who is behind it, in letters: one after the other may be the same editor's */
  nextClient(person: string): string {
    return `${person}${(this.#names.clients += 1)}`;
  }

  /** Sessions that the client was given and has not asked to delete. */
  sessionIds(): string[] {
    return [...this.ledger.sessions.values()].filter(({ deleteAsked }) => !deleteAsked).map(({ id }) => id);
  }

  /** What a client asked and was sent last. */
  tail(client: string, count: number): string {
    const events = this.#history.filter((event) => "client" in event && event.client === client);
    return events.slice(-count).map(describe).join("\n");
  }

  violations(found: Found): Violation[] {
    return checkLedger(this.ledger, found);
  }

  /** Errors: `PromiseBroken`. */
  check(found: Found): void {
    const violations = this.violations(found);
    const [first] = violations;
    if (first === undefined) return;
    const more = violations.length > 1 ? `\nand ${violations.length - 1} more` : "";
    const last = around(this.#history, first.sessionId);
    throw new PromiseBroken(violations, `${explain(this.#history, found, first)}${more}\n${last}`);
  }
}

export const nothingFound: Found = { sessions: new Map() };
