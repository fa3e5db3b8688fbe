/** Which sessions are live in this process: bounded in number, and each with the time of its last activity. */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";

export class LiveSet {
  readonly #maxSessions: number;
  readonly #now: () => number;
  readonly #lastActivityMs = new Map<SessionId, number>();

  /** @param now the clock, in milliseconds */
  constructor(maxSessions: number, now: () => number = Date.now) {
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

  /** Notes activity of a session that is live. */
  touch(id: SessionId): void {
    if (this.has(id)) this.#lastActivityMs.set(id, this.#now());
  }

  remove(id: SessionId): void {
    this.#lastActivityMs.delete(id);
  }

  /** Live sessions without activity since `beforeMs`. */
  idleSince(beforeMs: number): SessionId[] {
    return [...this.#lastActivityMs.keys()].filter((id) => this.isIdleSince(id, beforeMs));
  }

  /** Live, and without activity since `beforeMs`. */
  isIdleSince(id: SessionId, beforeMs: number): boolean {
    return (this.#lastActivityMs.get(id) ?? Infinity) < beforeMs;
  }
}
