/** What to do about a failure of a store. */
import { isSidecarError, type ErrorCode } from "../base/errors.ts";

export const repairIt = "see what is damaged with acp-sidecar verify, then run acp-sidecar verify --repair";

const fixes: Partial<Record<ErrorCode, string>> = {
  CONFIG_INVALID: "correct --store, or leave it out for the default",
  STORE_UNAVAILABLE:
    "check that the folder or server is there and may be used by you, or name another --store",
  STORE_LOCKED: "end the other program that holds the store, then try again",
  STORE_FULL:
    "make room on the disk, or delete old sessions: acp-sidecar sessions gc --older-than 30d, then acp-sidecar sessions gc --trash",
  STORE_READONLY: "make the file and its folder writable for you, or name another --store",
  STORE_CORRUPT: `${repairIt}; if it is no database of ours, name another --store`,
  STORE_SCHEMA_NEWER: "update acp-sidecar, or name another --store",
};

export function fixFor(error: unknown): string {
  if (isSidecarError(error) && error.data["missing"] !== undefined)
    return "do one of these; README.md tells more where it says how to install";
  const fix = isSidecarError(error) ? fixes[error.code] : undefined;
  return fix ?? "name another --store, and report this with the message above";
}
