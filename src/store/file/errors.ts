/** Errors of the file system, told in the store's codes, and refusals of files that are not as they were written. */
import { reasonOf, SidecarError, systemCodeOf, type ErrorCode } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { repairIt } from "../reading.ts";

const full = "free some space, or raise the quota or file size limit; nothing that was acknowledged is lost";
const readOnly = "give this user write access to it, or choose another with --store";

const faces: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ["STORE_FULL", full],
  EDQUOT: ["STORE_FULL", full],
  EFBIG: ["STORE_FULL", full],
  EROFS: ["STORE_READONLY", readOnly],
  EACCES: ["STORE_READONLY", readOnly],
  EPERM: ["STORE_READONLY", readOnly],
  ENOTDIR: ["STORE_UNAVAILABLE", "a file stands where a directory is needed; choose another with --store"],
  ENOENT: ["STORE_UNAVAILABLE", "it is not there and cannot be made; choose another with --store"],
  EEXIST: ["STORE_UNAVAILABLE", "a file stands where a directory is needed; choose another with --store"],
  EMFILE: ["STORE_UNAVAILABLE", "too many open files; raise the limit (ulimit -n)"],
  ENFILE: ["STORE_UNAVAILABLE", "too many open files on this machine"],
};

export function isMissing(error: unknown): boolean {
  return systemCodeOf(error) === "ENOENT";
}

export function isReadOnly(error: unknown): boolean {
  return faces[systemCodeOf(error) ?? ""]?.[0] === "STORE_READONLY";
}

/** Ours as it is; the file system's with a code, the directory and a way out. */
export function storeError(error: unknown, directory: string): unknown {
  const errno = systemCodeOf(error);
  if (errno === undefined) return error;
  const [code, wayOut] = faces[errno] ?? ["STORE_FAILED", reasonOf(error)];
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
    `Session ${id} takes no writes because ${file} is damaged behind entry ${seq}; ${repairIt}`,
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
