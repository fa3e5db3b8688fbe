/** Which sessions are live in this process: bounded in number, each with the time of its last activity, and whether a turn runs. */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";

/** A live session in the hands of whoever uses it. */
export interface Use {
  /** Notes activity. */
  touch(): void;
  /** Notes whether a turn runs: its agent may be silent for long. */
  setTurnRunning(isRunning: boolean): void;
  /** It is live no longer. */
  end(): void;
}

export class LiveSet {
  readonly #maxSessions: number;
  readonly #now: () => number;
  readonly #lastActivityMs = new Map<SessionId, number>();
  readonly #inTurn = new Set<SessionId>();

  /** @param now the clock, in milliseconds; without one, time is measured: the wall clock may jump by hours */
  constructor(maxSessions: number, now: () => number = () => performance.now()) {
    this.#maxSessions = maxSessions;
    this.#now = now;
  }

  get size(): number {
    return this.#lastActivityMs.size;
  }

  has(id: SessionId): boolean {
    return this.#lastActivityMs.has(id);
  }

  /** Errors: `SESSION_LIMIT` when one more would be too many. */
  checkRoom(): void {
    if (this.size < this.#maxSessions) return;
    throw new SidecarError(
      "SESSION_LIMIT",
      `${this.size} sessions are live, the most that --max-sessions allows; close one first`,
      { data: { maxSessions: this.#maxSessions } },
    );
  }

  /** Errors: `SESSION_LIMIT`. */
  add(id: SessionId): void {
    if (!this.has(id)) this.checkRoom();
    this.#lastActivityMs.set(id, this.#now());
  }

  /** The same for whoever uses it. Errors: `SESSION_LIMIT`. */
  use(id: SessionId): Use {
    this.add(id);
    return {
      touch: () => this.touch(id),
      setTurnRunning: (isRunning) => void (isRunning ? this.#inTurn.add(id) : this.#inTurn.delete(id)),
      end: () => this.remove(id),
    };
  }

  /** Notes activity of a session that is live. */
  touch(id: SessionId): void {
    if (this.has(id)) this.#lastActivityMs.set(id, this.#now());
  }

  remove(id: SessionId): void {
    this.#lastActivityMs.delete(id);
    this.#inTurn.delete(id);
  }

  /** No turn runs, and there was no activity for longer than `ms`. */
  isQuietFor(ms: number): boolean {
    return this.#inTurn.size === 0 && this.idleFor(ms).length === this.size;
  }

  /** Live sessions without activity for longer than `ms`. */
  idleFor(ms: number): SessionId[] {
    return [...this.#lastActivityMs.keys()].filter((id) => this.isIdleFor(id, ms));
  }

  /** Live, and without activity for longer than `ms`. */
  isIdleFor(id: SessionId, ms: number): boolean {
    return this.#now() - (this.#lastActivityMs.get(id) ?? Infinity) > ms;
  }
}
