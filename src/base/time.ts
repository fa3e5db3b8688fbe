/** Waiting with a limit. */

/** Settles with `promise`, or after `ms`; its failure is not ours to report. */
export async function waitAtMost(promise: Promise<unknown>, ms: number): Promise<void> {
  await within(
    promise.catch(() => undefined),
    ms,
  );
}

/** What `promise` settles with, or undefined after `ms`; what becomes of it then is not ours to report. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  // By a timer alone: the reason of an abort that nobody asks for would be put together each time.
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Settles after `ms`, or when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

/** Rejects when `signal` is aborted, and never settles otherwise: to be raced with what may take long. */
export function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal?.reason as Error);
    if (signal?.aborted === true) end();
    else signal?.addEventListener("abort", end, { once: true });
  });
}
