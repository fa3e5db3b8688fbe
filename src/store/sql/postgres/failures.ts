/** What PostgreSQL's errors mean to us: whether to try again, and what to tell a person. */
import { isSidecarError, reasonOf, SidecarError, type ErrorCode } from "../../../base/errors.ts";
import { brokenOff, codeOf, notReached, outOfReach, plainCause, wrongLogin } from "../../server/cause.ts";
import type { Setback } from "../../server/retry.ts";

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const undone = new Set(["40001", "40P01"]);
const away = new Set(["57P03", "53300", ...notReached]);
const lost = new Set(["25P03", "40003", "57P01", "57P02", "57P05", ...brokenOff]);
/** The driver's own words, which come without a code. */
const brokenOffWords = /connection (terminated|error|ended)|read timeout|timeout exceeded|not queryable/i;

export function setbackOf(error: unknown): Setback {
  if (isSidecarError(error)) return "final";
  const code = codeOf(error);
  if (undone.has(code)) return "again";
  if (away.has(code)) return "away";
  if (lost.has(code) || code.startsWith("08")) return "lost";
  return code === "" && brokenOffWords.test(reasonOf(error)) ? "lost" : "final";
}

/** Whether the connection on which the error came is of no more use. */
export function breaksConnection(error: unknown): boolean {
  const setback = setbackOf(error);
  return setback === "lost" || setback === "away";
}

/** The error as our callers know it. `place` tells host and database. */
export function postgresFailure(error: unknown, place: string): SidecarError {
  if (isSidecarError(error)) return error;
  const [code, message] = wording(error, place);
  return new SidecarError(code, message, { cause: plainCause(error) });
}

function wording(error: unknown, place: string): readonly [ErrorCode, string] {
  const code = codeOf(error);
  const known = wordings[code];
  if (known !== undefined) return [known[0], `The PostgreSQL server at ${place} ${known[1]}`];
  const setback = setbackOf(error);
  if (setback === "again") return ["STORE_LOCKED", `Others keep PostgreSQL at ${place} too busy; try again`];
  if (setback !== "final") return outOfReach(`PostgreSQL at ${place}`, error);
  if (code.startsWith("28") || /password|SASL/.test(reasonOf(error))) {
    return ["STORE_UNAVAILABLE", `The PostgreSQL server at ${place} ${wrongLogin}`];
  }
  if (code.startsWith("XX00")) {
    return ["STORE_CORRUPT", `PostgreSQL at ${place} reports damage (${code}); see the server's log`];
  }
  return [
    "STORE_FAILED",
    `PostgreSQL at ${place} refused a statement (${code || "no code"}): ${reasonOf(error)}`,
  ];
}

const wordings: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  "3D000": ["STORE_UNAVAILABLE", "has no such database; create it with createdb, or correct the store URL"],
  "42501": ["STORE_FAILED", "does not let this user in; GRANT it the use of the schema and its tables"],
  "25006": ["STORE_READONLY", "takes no writes; name the primary server in the store URL"],
  "53100": ["STORE_FULL", "has no disk space left; make room, then go on"],
  "53300": [
    "STORE_UNAVAILABLE",
    "has no free connection; lower pool= in the store URL or raise max_connections",
  ],
  "55P03": ["STORE_LOCKED", "did not give us a lock in time; try again"],
  "57P03": ["STORE_UNAVAILABLE", "is starting up; try again in a moment"],
};
