/** What a journal knows of its writes: whether one that failed may have been done all the same, and whether any can be. */
import { isSidecarError, type SidecarError } from "../base/errors.ts";
import type { NewEntry } from "../store/contract.ts";

/** A write that failed, of which it is not known what became of it. */
export interface Doubt {
  /** Known when the store was asked. */
  wasDone?: boolean;
}

export class JournalWrites {
  readonly #onLoss: () => void;
  readonly #ask: () => Promise<boolean>;
  #doubt: Doubt | undefined;
  #lost: SidecarError | undefined;

  /**
   * @param onLoss called when a write shows that nothing can be written any more
   * @param ask looks at what is stored, and says whether that is news
   */
  constructor(onLoss: () => void, ask: () => Promise<boolean>) {
    [this.#onLoss, this.#ask] = [onLoss, ask];
  }

  /** Somebody else has the session, or it is gone. */
  get lost(): SidecarError | undefined {
    return this.#lost;
  }

  /** The store has failed a write: what was written last may be there or not. */
  get doubt(): Doubt | undefined {
    return this.#doubt;
  }

  get isDoubtful(): boolean {
    return this.#doubt !== undefined;
  }

  /** Asks the store what became of what was written last. Errors: `SESSION_NOT_FOUND`, `STORE_…`. */
  async endDoubt(): Promise<void> {
    if (this.#doubt === undefined) return;
    this.#doubt.wasDone = await this.#ask();
    this.#doubt = undefined;
  }

  async run(write: () => Promise<void>): Promise<void> {
    if (this.#doubt !== undefined) await this.endDoubt();
    try {
      await write();
    } catch (error) {
      this.#noteLoss(error);
      if (this.#lost === undefined) this.#doubt = {};
      throw error;
    }
  }

  /** For what leaves no doubt behind: it can be asked for once more. */
  async runSurely<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      this.#noteLoss(error);
      throw error;
    }
  }

  #noteLoss(error: unknown): void {
    if (!isSidecarError(error, "LEASE_LOST", "SESSION_NOT_FOUND")) return;
    this.#lost ??= error;
    this.#onLoss();
  }
}

/**
 * How many of the first entries, of so many, need not be written once more: they are in the store like that. Time and kind
 * count as well. What is linked must be what is kept, and of a state that was said twice the later one is.
 */
export function storedAlready(final: readonly NewEntry[], stored: readonly NewEntry[], most: number): number {
  let same = 0;
  while (same < most && isSame(final[same], stored[same])) same += 1;
  return same;
}

function isSame(a: NewEntry | undefined, b: NewEntry | undefined): boolean {
  return a?.data === b?.data && a?.atMs === b?.atMs && a?.kind === b?.kind;
}
