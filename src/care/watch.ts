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

/** Rejects when it is aborted; never settles else. What is raced with it is left to itself. */
export function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal?.reason as Error);
    if (signal?.aborted === true) end();
    else signal?.addEventListener("abort", end, { once: true });
  });
}
