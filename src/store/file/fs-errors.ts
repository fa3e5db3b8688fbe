/** Errors of the file system, told in the store's codes. */
import { reasonOf, SidecarError, systemCodeOf, type ErrorCode } from "../../base/errors.ts";

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

/** Runs `action` so that nothing of the file system's gets out untold. */
export function guarded<T>(directory: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw storeError(error, directory);
  }
}
