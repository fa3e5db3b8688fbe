/** What Redis's errors mean to us: whether to try again, and what to tell a person. */
import { isSidecarError, reasonOf, SidecarError, type ErrorCode } from "../../base/errors.ts";
import { brokenOff, codeOf, notReached, outOfReach, plainCause, wrongLogin } from "../server/cause.ts";
import type { Setback } from "../server/retry.ts";

/** First words of replies that tell that nothing was done, but might be soon. */
const notNow = new Set([
  "LOADING",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "MASTERDOWN",
  "BUSY",
  "READONLY",
  "NOREPLICAS",
]);
/** The driver's own words. */
const notSent = /enableOfflineQueue|Failed to refresh slots|too many cluster redirections|cluster is ended/i;
const perhapsSent = /connection is closed|max retries per request|timed out|socket timeout|aborted/i;

export function setbackOf(error: unknown): Setback {
  if (isSidecarError(error)) return "final";
  const reason = reasonOf(error);
  if (notNow.has(firstWord(reason)) || notReached.includes(codeOf(error)) || notSent.test(reason))
    return "away";
  return brokenOff.includes(codeOf(error)) || perhapsSent.test(reason) ? "lost" : "final";
}

export function isMissingScript(error: unknown): boolean {
  return firstWord(reasonOf(error)) === "NOSCRIPT";
}

/**
 * The error as our callers know it. `background` is what the connection itself last failed with: when the
 * driver only says that there is none, that is why.
 */
export function redisFailure(error: unknown, place: string, background?: unknown): SidecarError {
  if (isSidecarError(error)) return error;
  const setback = setbackOf(error);
  const explains = background !== undefined && setback !== "final" && !notNow.has(firstWord(reasonOf(error)));
  const cause = explains ? background : error;
  const [code, message] = wording(cause, place);
  return new SidecarError(code, message, { cause: plainCause(cause) });
}

function wording(error: unknown, place: string): readonly [ErrorCode, string] {
  const reason = reasonOf(error);
  const word = firstWord(reason);
  const known = wordings[word];
  if (known !== undefined) return [known[0], `The Redis server at ${place} ${known[1]}`];
  if (setbackOf(error) !== "final" || codeOf(error) !== "") return outOfReach(`Redis at ${place}`, error);
  // What follows the first word may repeat a command's arguments.
  return ["STORE_FAILED", `Redis at ${place} refused a command (${word || "no code"}); see the log`];
}

const wordings: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  NOAUTH: ["STORE_UNAVAILABLE", wrongLogin],
  WRONGPASS: ["STORE_UNAVAILABLE", wrongLogin],
  NOPERM: ["STORE_FAILED", "does not let this user use our keys or scripts; grant it ~prefix* and @all"],
  LOADING: ["STORE_UNAVAILABLE", "is still loading its data; try again in a moment"],
  CLUSTERDOWN: ["STORE_UNAVAILABLE", "is part of a cluster that is down; see cluster info there"],
  READONLY: ["STORE_READONLY", "is a replica and takes no writes; name the primary in the store URL"],
  NOREPLICAS: ["STORE_READONLY", "misses the replicas that it must have for writing"],
  MISCONF: ["STORE_READONLY", "cannot write to its disk and so takes no writes; see its log"],
  OOM: ["STORE_FULL", "has reached its maxmemory; delete sessions or give it more"],
  BUSY: ["STORE_LOCKED", "is busy with somebody's script; try again"],
  WRONGTYPE: ["STORE_CORRUPT", "holds something else under our keys; use another prefix= in the store URL"],
};

function firstWord(reason: string): string {
  return /^[A-Z]+(?= |$)/.exec(reason)?.[0] ?? "";
}
