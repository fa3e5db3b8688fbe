/** Pages fetched while the one before is being used, so that neither server nor reader waits for the other. */

/**
 * Yields what `fetch` gives, call after call, until it gives undefined. At most one page is fetched ahead, and
 * none before the second is asked for: many readers want the first one only.
 */
export async function* readAhead<T>(fetch: () => Promise<T | undefined>): AsyncGenerator<T> {
  let page = await fetch();
  for (let given = 0; page !== undefined; given += 1) {
    const ahead = given === 0 ? undefined : fetch();
    // Told when its turn comes; a reader who stops before has no use for it.
    ahead?.catch(() => undefined);
    yield page;
    page = await (ahead ?? fetch());
  }
}
