/** Work on several things at once, with results in order: the next ones are begun while a server answers the first. */

/** What `work` makes of each item, in order, with at most so many under way; none is under way when it ends. */
export async function* ahead<T, R>(
  things: AsyncIterable<T>,
  most: number,
  work: (thing: T) => Promise<R>,
): AsyncGenerator<R> {
  const underway: Promise<R>[] = [];
  try {
    for await (const thing of things) {
      const result = work(thing);
      // A failure is told when its turn comes.
      result.catch(() => undefined);
      underway.push(result);
      const first = underway.length < most ? undefined : underway.shift();
      if (first !== undefined) yield await first;
    }
    for (let first = underway.shift(); first !== undefined; first = underway.shift()) yield await first;
  } finally {
    await Promise.allSettled(underway);
  }
}
