/** Errors of the file system, told in the store's codes, and refusals of files that are not as they were written. */
import { reasonOf, SidecarError, systemCodeOf } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { repairIt } from "../reading.ts";
import { storeCodeOf } from "../system-codes.ts";

const inPlace = "a file stands where a directory is needed; choose another with --store";

/** What a person can do, by the error or its code. */
const waysOut: Readonly<Record<string, string>> = {
  STORE_FULL: "free some space, or raise the quota or file size limit; nothing that was acknowledged is lost",
  STORE_READONLY: "give this user write access to it, or choose another with --store",
  STORE_UNAVAILABLE: "it cannot be used as a directory; choose another with --store",
  ENOTDIR: inPlace,
  EEXIST: inPlace,
  ENOENT: "it is not there and cannot be made; choose another with --store",
  EMFILE: "too many open files; raise the limit (ulimit -n)",
  ENFILE: "too many open files on this machine",
};

export function isMissing(error: unknown): boolean {
  return systemCodeOf(error) === "ENOENT";
}

export function isReadOnly(error: unknown): boolean {
  return storeCodeOf(error) === "STORE_READONLY";
}

/** Ours as it is; the file system's with a code, the directory and a way out. */
export function storeError(error: unknown, directory: string): unknown {
  const errno = systemCodeOf(error);
  if (errno === undefined) return error;
  const code = storeCodeOf(error) ?? "STORE_FAILED";
  const wayOut = waysOut[errno] ?? waysOut[code] ?? reasonOf(error);
  return new SidecarError(code, `File store ${directory}: ${errno}; ${wayOut}`, {
    cause: error,
    data: { errno },
  });
}

export function sessionDamaged(id: SessionId, file: string): SidecarError {
  return new SidecarError("STORE_CORRUPT", `Session ${id} cannot be read: ${file} is damaged; ${repairIt}`, {
    data: { sessionId: id, file },
  });
}

/** Nothing is added behind damage, which might hide it. */
export function writeBehindDamage(id: SessionId, seq: number, file: string): SidecarError {
  return new SidecarError(
    "STORE_CORRUPT",
    `Session ${id} takes no writes because ${file} is damaged after entry ${seq}; ${repairIt}`,
    { data: { sessionId: id, seq, file } },
  );
}

/** A fork without the session that it inherits from. `seq` is the first entry that cannot be read. */
export function parentMissing(id: SessionId, parentId: SessionId, seq: number): SidecarError {
  return new SidecarError(
    "STORE_CORRUPT",
    `Session ${id} cannot be read from entry ${seq} on: session ${parentId}, which it inherits from, is missing; ${repairIt}`,
    { data: { sessionId: id, seq } },
  );
}
