/** What the file system fails with, in the codes of the Store contract: once, for every store that lies in files. */
import { systemCodeOf, type ErrorCode } from "../base/errors.ts";

const codes: ReadonlyMap<string, ErrorCode> = new Map([
  ...["ENOSPC", "EDQUOT", "EFBIG"].map((errno) => [errno, "STORE_FULL"] as const),
  ...["EACCES", "EPERM", "EROFS"].map((errno) => [errno, "STORE_READONLY"] as const),
  ...["ENOENT", "ENOTDIR", "EEXIST", "EISDIR", "ELOOP", "ENAMETOOLONG", "EMFILE", "ENFILE"].map(
    (errno) => [errno, "STORE_UNAVAILABLE"] as const,
  ),
]);

/** Undefined for what is no failure of the file system, or none that we know. */
export function storeCodeOf(error: unknown): ErrorCode | undefined {
  return codes.get(systemCodeOf(error) ?? "");
}
