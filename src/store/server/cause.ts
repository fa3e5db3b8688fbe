/** Errors of drivers: what their codes say, and themselves made fit for logs, because they carry parameters and rows. */
import { reasonOf, systemCodeOf, type ErrorCode } from "../../base/errors.ts";

/** The driver's message, code and stack, without what else it attached. */
export function plainCause(error: unknown): Error {
  // Redis repeats the arguments of a command that it does not know.
  const reason = reasonOf(error).split(", with args")[0] ?? "";
  const plain = new Error(reason);
  if (!(error instanceof Error)) return plain;
  // A stack begins with the whole message, of which only the first line is kept.
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  plain.stack = [`${error.name}: ${reason}`, ...frames].join("\n");
  return "code" in error ? Object.assign(plain, { code: error.code }) : plain;
}

/** What the network says of a server that was not reached: nothing has happened there. */
export const notReached = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
/** And of a connection that broke: what happened is not known. */
export const brokenOff = ["ECONNRESET", "EPIPE", "ETIMEDOUT"];

/** @param server its kind and its place: "Redis at localhost:6379" */
export function outOfReach(server: string, error: unknown): readonly [ErrorCode, string] {
  const why = codeOf(error) || "connection lost";
  return ["STORE_UNAVAILABLE", `${server} cannot be reached (${why}); start it or check the URL`];
}

export const wrongLogin = "refuses this user or password; check both in the store URL";

/** What a driver calls a failure; "" where it has no name for it. */
export function codeOf(error: unknown): string {
  return systemCodeOf(error) ?? "";
}
