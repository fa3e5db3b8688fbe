/** Reading what may be sealed meanwhile. */
import { isSidecarError } from "../base/errors.ts";

/** Nobody seals so often. */
const mostTries = 5;

/**
 * Reads a session as often as it takes: where a turn that runs ends meanwhile, what was read of it has other places now.
 * @param read begins with the session's record, for what it knows of the session's end may be old
 */
export async function readWhole<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (tries >= mostTries || !isSidecarError(error, "STORE_CONFLICT")) throw error;
    }
  }
}
