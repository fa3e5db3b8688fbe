/** Who waits for something long: is told how far it is, and may end it. */
export interface Watch {
  /** Awaited: the work goes on when it has settled. In units of what is done: sessions, or pages of a file. */
  readonly onProgress?: (done: number, total: number) => void | Promise<void>;
  /** Awaited between two pages of entries. */
  readonly onEntries?: (entries: number) => void | Promise<void>;
  /** Aborted: the work rejects with its reason, and leaves nothing half done. */
  readonly signal?: AbortSignal;
}

/** The pages as they are, each told. */
export async function* watched<T>(
  pages: AsyncIterable<readonly T[]>,
  { onEntries, signal }: Watch,
): AsyncGenerator<readonly T[]> {
  for await (const page of pages) {
    signal?.throwIfAborted();
    yield page;
    await onEntries?.(page.length);
  }
}

/** For work that cannot wait for its watcher: while one report is taken, those that follow are left out. */
export class Reports {
  /** Rejects with what the watcher failed with. */
  readonly failed: Promise<never>;
  readonly #onProgress: Watch["onProgress"];
  #fail: (reason: unknown) => void = () => undefined;
  #told: Promise<void> | undefined;

  constructor(onProgress: Watch["onProgress"]) {
    this.#onProgress = onProgress;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
  }

  /** Never throws. */
  tell(done: number, total: number): void {
    this.#told ??= this.#take(done, total);
  }

  /** Settles when the last report has been taken. Errors: the watcher's. */
  async settled(): Promise<void> {
    await this.#told;
    await Promise.race([this.failed, Promise.resolve()]);
  }

  async #take(done: number, total: number): Promise<void> {
    try {
      await this.#onProgress?.(done, total);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#told = undefined;
    }
  }
}
