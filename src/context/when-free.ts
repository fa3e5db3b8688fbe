/** Two that change a context at once: who comes second waits until the first has given the session back. */
import { isSidecarError } from "../base/errors.ts";
import { pause } from "../base/time.ts";

/** Half a second together. */
const [mostTries, firstPauseMs] = [5, 15];
/** Who has had it for longer works in it. */
const briefMs = 2_000;

/** Errors: those of `act`; `SESSION_BUSY` at once where the session is not held for a moment only. */
export async function whenFree(act: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries += 1)
    try {
      return await act();
    } catch (error) {
      if (tries >= mostTries || !isHeldBriefly(error)) throw error;
      await pause(firstPauseMs * 2 ** tries);
    }
}

function isHeldBriefly(error: unknown): boolean {
  if (!isSidecarError(error, "SESSION_BUSY")) return false;
  const { since } = error.data;
  return typeof since === "string" && Date.now() - Date.parse(since) < briefMs;
}
