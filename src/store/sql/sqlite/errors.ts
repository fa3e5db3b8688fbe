/** What SQLite and the file system fail with, in the codes of the Store contract. */
import { SidecarError, reasonOf, systemCodeOf, type ErrorCode } from "../../../base/errors.ts";
import type { SessionId } from "../../../base/ids.ts";
import { repairIt } from "../../reading.ts";
import { storeCodeOf } from "../../system-codes.ts";

interface Meaning {
  readonly code: ErrorCode;
  readonly say: (path: string, reason: string, sessionId?: SessionId) => string;
}

const full: Meaning = {
  code: "STORE_FULL",
  say: (path) => `No space is left for ${path}; make room and go on, nothing stored is lost`,
};
const readOnly: Meaning = {
  code: "STORE_READONLY",
  say: (path) => `${path} cannot be written; check its owner and permissions and those of its directory`,
};
const corrupt: Meaning = {
  code: "STORE_CORRUPT",
  say: (path, reason, sessionId) =>
    `${sessionId === undefined ? path : `Session ${sessionId} in ${path}`} is damaged (${reason}); ${repairIt}`,
};
const noDatabase: Meaning = {
  code: "STORE_CORRUPT",
  say: (path, reason) =>
    `${path} is no database, or its first page is damaged (${reason}); restore a backup or name another path`,
};
const unavailable: Meaning = {
  code: "STORE_UNAVAILABLE",
  say: (path, reason) => `${path} cannot be opened (${reason}); check the path and its permissions`,
};
const locked: Meaning = {
  code: "STORE_LOCKED",
  say: (path) => `${path} is kept locked by another process; try again, or end that process`,
};
const failed: Meaning = {
  code: "STORE_FAILED",
  say: (path, reason) => `Reading or writing ${path} failed (${reason}); check the disk`,
};

/** By SQLite result code, the primary one unless its own is here; and by the code of an error of the file system. */
const meanings: Readonly<Record<string, Meaning>> = {
  SQLITE_FULL: full,
  // The shared memory beside the log finds no room, before anything else does.
  SQLITE_IOERR_SHMSIZE: full,
  SQLITE_READONLY: readOnly,
  SQLITE_PERM: readOnly,
  SQLITE_CORRUPT: corrupt,
  SQLITE_NOTADB: noDatabase,
  // The file ends within what SQLite looks for: somebody has cut it off.
  SQLITE_IOERR_SHORT_READ: corrupt,
  SQLITE_CANTOPEN: unavailable,
  SQLITE_BUSY: locked,
  SQLITE_LOCKED: locked,
  SQLITE_PROTOCOL: locked,
  STORE_FULL: full,
  STORE_READONLY: readOnly,
  STORE_UNAVAILABLE: unavailable,
};

/**
 * `error` as the contract words it; what is no failure of the medium is given back as it is.
 * @param sessionId the session that was worked on, to be named if it is damaged
 */
export function asStoreError(error: unknown, path: string, sessionId?: SessionId): unknown {
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  const [, primary = code] = /^(SQLITE_[A-Z]+)/.exec(code) ?? [];
  const known = meanings[code] ?? meanings[primary] ?? meanings[storeCodeOf(error) ?? ""];
  if (known === undefined && primary === code && !/^(SQLITE_|E[A-Z]+$)/.test(code)) return error;
  const meaning = known ?? failed;
  const named = meaning === corrupt && sessionId !== undefined;
  const data = { cause: code, ...(named && { sessionId }) };
  return new SidecarError(meaning.code, meaning.say(path, `${code}: ${reasonOf(error)}`, sessionId), {
    data,
    cause: error,
  });
}
