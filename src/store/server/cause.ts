/** Errors of drivers: their codes, and themselves made fit for logs, because they carry parameters and rows. */
import { reasonOf, systemCodeOf } from "../../base/errors.ts";

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

/** What a driver calls a failure; "" where it has no name for it. */
export function codeOf(error: unknown): string {
  return systemCodeOf(error) ?? "";
}
