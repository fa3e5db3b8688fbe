/** Names of SQLite's result codes, for engines that tell the number only. https://sqlite.org/rescode.html */

import { systemCodeOf } from "../base/errors.ts";

/** By number; what is extended stands in its lowest byte, and counts from 1 above it. */
const primary = (
  "OK ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN " +
  "PROTOCOL EMPTY SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB NOTICE WARNING"
).split(" ");

const extended: Readonly<Record<string, readonly string[]>> = {
  OK: ["LOAD_PERMANENTLY", "SYMLINK"],
  ERROR: ["MISSING_COLLSEQ", "RETRY", "SNAPSHOT", "RESERVESIZE", "KEY", "UNABLE"],
  ABORT: ["", "ROLLBACK"],
  BUSY: ["RECOVERY", "SNAPSHOT", "TIMEOUT"],
  LOCKED: ["SHAREDCACHE", "VTAB"],
  READONLY: ["RECOVERY", "CANTLOCK", "ROLLBACK", "DBMOVED", "CANTINIT", "DIRECTORY"],
  IOERR: (
    "READ SHORT_READ WRITE FSYNC DIR_FSYNC TRUNCATE FSTAT UNLOCK RDLOCK DELETE BLOCKED NOMEM ACCESS " +
    "CHECKRESERVEDLOCK LOCK CLOSE DIR_CLOSE SHMOPEN SHMSIZE SHMLOCK SHMMAP SEEK DELETE_NOENT MMAP GETTEMPPATH " +
    "CONVPATH VNODE AUTH BEGIN_ATOMIC COMMIT_ATOMIC ROLLBACK_ATOMIC DATA CORRUPTFS IN_PAGE BADKEY CODEC"
  ).split(" "),
  CORRUPT: ["VTAB", "SEQUENCE", "INDEX"],
  CANTOPEN: ["NOTEMPDIR", "ISDIR", "FULLPATH", "CONVPATH", "DIRTYWAL", "SYMLINK"],
  CONSTRAINT:
    "CHECK COMMITHOOK FOREIGNKEY FUNCTION NOTNULL PRIMARYKEY TRIGGER UNIQUE VTAB ROWID PINNED DATATYPE".split(
      " ",
    ),
  AUTH: ["USER"],
  NOTICE: ["RECOVER_WAL", "RECOVER_ROLLBACK", "RBU"],
  WARNING: ["AUTOINDEX"],
};

/** `SQLITE_BUSY_SNAPSHOT` for 517. An extended code that is not known here has the name of its primary one. */
export function resultCodeName(code: number): string {
  const name = primary[code & 0xff];
  if (name === undefined) return `SQLITE_UNKNOWN_${code}`;
  const more = extended[name]?.[(code >> 8) - 1];
  return more ? `SQLITE_${name}_${more}` : `SQLITE_${name}`;
}

/** Another connection has the lock; trying again may help. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(systemCodeOf(error) ?? "");
}
