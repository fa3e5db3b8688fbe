import path from "node:path";
import { isSidecarError, SidecarError } from "../../base/errors.ts";
import { SessionExport } from "../../history/export/export.ts";
import { exportFileName } from "../../history/export/file-name.ts";
import { exportFormatNamed, exportFormats } from "../../history/export/formats.ts";
import { saveText } from "../../history/export/save.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { asCode } from "./shown.ts";

/** All up to this command, into a file of the session's folder; never in the place of one that is there. */
export async function exportHere(
  { registry }: RelayContext,
  live: LiveSession,
  words: string,
): Promise<string> {
  const format = exportFormatNamed(words === "" ? "markdown" : words.toLowerCase());
  if (format === undefined)
    throw new SidecarError("INVALID_PARAMS", `There is no such format; allowed: ${exportFormats.join(", ")}`);
  // The prompt that asks for it is the last entry.
  const record = { ...live.record, headSeq: live.journal.headSeq - 1 };
  const place = path.join(record.cwd, exportFileName(record, format));
  const shown = asCode(place);
  try {
    const options = { superseded: false, format };
    await live.journal.reading(() => saveText(place, new SessionExport(registry, record, options)));
  } catch (error) {
    if (!isSidecarError(error, "FILE_EXISTS")) throw error;
    throw new SidecarError("FILE_EXISTS", `${shown} is there already; move it away first`);
  }
  return `Exported to ${shown}, readable by you only. It is in your project: think before you commit it.`;
}
