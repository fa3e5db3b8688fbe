/** A record of a form that nobody expects costs itself and no other. */
import { isSidecarError, reasonOf } from "../../base/errors.ts";
import type { Report } from "./native.ts";

/** Takes one, wherever it stands. */
export type Guard = (take: () => void) => void;

export function guarded<T>(
  path: string,
  line: number | undefined,
  report: Report,
  take: () => T,
): T | undefined {
  try {
    return take();
  } catch (error) {
    if (isSidecarError(error)) throw error;
    report({ path, ...(line !== undefined && { line }), reason: `cannot be taken: ${reasonOf(error)}` });
    return undefined;
  }
}
