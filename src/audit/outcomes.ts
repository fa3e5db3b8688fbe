/** How a deed ended that was not done. */
import { isSidecarError, systemCodeOf, type ErrorCode } from "../base/errors.ts";
import type { Ended } from "./audit.ts";

/** Errors that say that something must not be, rather than that it failed. */
const refusals: readonly ErrorCode[] = [
  "SESSION_NOT_FOUND",
  "FORBIDDEN",
  "TOKEN_INVALID",
  "SESSION_BUSY",
  "TURN_RUNNING",
  "SESSION_EXISTS",
  "SESSION_LIMIT",
  "INVALID_PARAMS",
  "AUDIT_FAILED",
];

/** Others had the lock all the time. */
export function isLocked(error: unknown): boolean {
  return isSidecarError(error) && error.data["locked"] === true;
}

export function failureOf(error: unknown): Ended {
  const code = isSidecarError(error) ? error.code : (systemCodeOf(error) ?? "INTERNAL");
  return { outcome: isSidecarError(error, ...refusals) ? "refused" : "failed", code };
}
