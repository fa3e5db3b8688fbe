/**
 * Updates for sessions that we do not know. While an agent makes a session they are kept, because
 * an agent may speak before its answer has told us the id. Otherwise they pass untouched.
 */
import { announcedIn } from "../../acp/children.ts";
import { charsOf, type ArrivedUpdate } from "../../acp/updates.ts";

/** What is kept beyond this passes. */
const maxKeptChars = 1 << 20;

export class Unclaimed {
  readonly #pass: (updates: readonly ArrivedUpdate[]) => Promise<void>;
  #kept: ArrivedUpdate[] = [];
  #keptChars = 0;
  #expecting = 0;

  constructor(pass: (updates: readonly ArrivedUpdate[]) => Promise<void>) {
    this.#pass = pass;
  }

  /** A session is being made. Every call is followed by one of `settled`. */
  expect(): void {
    this.#expecting += 1;
  }

  take(updates: readonly ArrivedUpdate[]): Promise<void> | undefined {
    if (this.#expecting === 0) return this.#pass(updates);
    for (const update of updates) {
      this.#kept.push(update);
      this.#keptChars += charsOf(update);
    }
    return this.#keptChars > maxKeptChars ? this.#passKept() : undefined;
  }

  /**
   * The session is known by this id, or (undefined) was not made. Returns what was kept for it and for the subagents
   * that it has announced.
   */
  settled(agentSessionId: string | undefined): ArrivedUpdate[] {
    this.#expecting -= 1;
    const its = new Set([agentSessionId]);
    const [own, others]: [ArrivedUpdate[], ArrivedUpdate[]] = [[], []];
    for (const update of this.#kept) {
      const isIts = its.has(update.sessionId);
      (isIts ? own : others).push(update);
      if (isIts && update.type === "update") its.add(announcedIn(update) ?? agentSessionId);
    }
    this.#kept = others;
    for (const update of own) this.#keptChars -= charsOf(update);
    // Nobody waits for these: only the stream's own pace would hold them back.
    if (this.#expecting === 0 && this.#kept.length > 0) void this.#passKept();
    return own;
  }

  #passKept(): Promise<void> {
    this.#keptChars = 0;
    return this.#pass(this.#kept.splice(0));
  }
}
