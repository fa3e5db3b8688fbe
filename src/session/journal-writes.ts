/** What a journal knows of its writes: whether one that failed may have been done all the same, and whether any can be. */
import { isSidecarError, type SidecarError } from "../base/errors.ts";

export class JournalWrites {
  readonly #onLoss: () => void;
  #isDoubtful = false;
  #lost: SidecarError | undefined;

  /** @param onLoss called when a write shows that nothing can be written any more */
  constructor(onLoss: () => void) {
    this.#onLoss = onLoss;
  }

  /** Somebody else has the session, or it is gone. */
  get lost(): SidecarError | undefined {
    return this.#lost;
  }

  /** The store has failed a write: what was written last may be there or not. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** @param ask what is stored: done first where the last write is doubtful */
  async run(ask: () => Promise<void>, write: () => Promise<void>): Promise<void> {
    if (this.#isDoubtful) await ask();
    this.#isDoubtful = false;
    try {
      await write();
    } catch (error) {
      this.#noteLoss(error);
      this.#isDoubtful = this.#lost === undefined;
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
