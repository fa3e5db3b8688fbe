import { isSidecarError } from "../../../src/base/errors.ts";

/** Code and message of the error that `work` ends with, if it does. */
export function codeOf(work: () => unknown): [string, string] | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isSidecarError(error)) return [error.code, error.message];
    throw error;
  }
}
