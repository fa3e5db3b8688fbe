/** What was written to stdout and did not get there, as when it is a file on a disk that is full. */
import { reasonOf, systemCodeOf } from "../base/errors.ts";
import { visibleLine } from "../base/visible.ts";

/** Whoever reads us may go away first, as `head` does: that is no failure. */
const readerGone: ReadonlySet<string | undefined> = new Set([
  "EPIPE",
  "ECONNRESET",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
]);

/** In words; undefined where only the reader is gone. */
export function lostOutput(error: unknown, isTerminal: boolean): string | undefined {
  const code = systemCodeOf(error);
  if (isTerminal || readerGone.has(code)) return undefined;
  const why = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : visibleLine(reasonOf(error));
  return `what was to go to stdout could not be written whole: ${why}`;
}
