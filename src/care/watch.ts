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
