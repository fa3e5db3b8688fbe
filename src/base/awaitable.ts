/** What may be there at once, or come. */
export type Awaitable<T> = T | Promise<T>;

/**
 * The promise that `act` gives, or one of what it gives; what it throws is a rejection. For what is called often, in the
 * place of an async function, each of which makes three promises of one.
 */
export function promiseOf<T>(act: () => Awaitable<T>): Promise<T> {
  try {
    const result = act();
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return rejected(error);
  }
}

async function rejected(error: unknown): Promise<never> {
  throw error;
}
