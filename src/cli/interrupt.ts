/** Ctrl-C while something long runs: it ends in order, and a person is told how to go on. */

/** What a shell reports of a program that Ctrl-C has ended. */
export const interruptedStatus = 130;

/** Its message is all that there is to say. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/**
 * Runs `use`; its signal is aborted by Ctrl-C, with an `Interrupted` that says how to go on. A second Ctrl-C ends the
 * process as it would without us.
 */
export async function interruptible<T>(
  howToGoOn: () => string,
  use: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onSignal = () => controller.abort(new Interrupted(`interrupted; ${howToGoOn()}`));
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    return await use(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
