/** Where a defect of ours showed, for whoever reports it. */
import { isSidecarError } from "../base/errors.ts";

/** Which kind of error it is and where it arose, without its words: they may quote what nobody has looked through. */
export function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { message, stack = "" } = error;
  const calls = stack.slice(Math.max(0, stack.indexOf(message)) + message.length).slice(0, 10_000);
  const frame = /^\s+at (?:.*\()?(?:.*[\\/])?([^\\/()\n]+:\d+:\d+)\)?$/m.exec(calls)?.[1];
  const kind = isSidecarError(error) ? error.code : error.constructor.name;
  return frame === undefined ? kind : `${kind} at ${frame}`;
}
