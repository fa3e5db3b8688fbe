/** What a journal keeps at hand of what it is to fold soon, so that it need not be read back from the store. */
import type { NewEntry } from "../store/contract.ts";

/** So much may be held by every journal. */
const freeChars = 64 << 10;
/** And so much by all journals of one registry between them. */
const roomChars = 4 << 20;

/** Room in memory that journals share, so that many sessions at once take no more of it than that. */
export class HeldRoom {
  #leftChars = roomChars;

  /** False when there is not so much left. */
  take(chars: number): boolean {
    if (chars > this.#leftChars) return false;
    this.#leftChars -= chars;
    return true;
  }

  give(chars: number): void {
    this.#leftChars += chars;
  }
}

/** The unsealed entries of one journal: all of them, or none once they found no room. */
export class Held {
  readonly #room: HeldRoom | undefined;
  #entries: NewEntry[] | undefined;
  #chars = 0;
  #roomChars = 0;

  constructor(room: HeldRoom | undefined) {
    this.#room = room;
  }

  /** Undefined when only the store has them. */
  get entries(): readonly NewEntry[] | undefined {
    return this.#entries;
  }

  /** How long they all are, at hand or not. */
  get chars(): number {
    return this.#chars;
  }

  /** Nothing is unsealed. */
  begin(): void {
    this.drop();
    this.#entries = [];
    this.#chars = 0;
  }

  add(entries: readonly NewEntry[], chars: number): void {
    this.#chars += chars;
    if (this.#entries === undefined) return;
    const wanted = Math.max(0, this.#chars - freeChars) - this.#roomChars;
    if (wanted > 0 && this.#room?.take(wanted) !== true) return this.drop();
    if (wanted > 0) this.#roomChars += wanted;
    for (const entry of entries) this.#entries.push(entry);
  }

  drop(): void {
    this.#room?.give(this.#roomChars);
    this.#roomChars = 0;
    this.#entries = undefined;
  }
}
