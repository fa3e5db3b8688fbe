/** The forms in which a session is taken along. */
import { SidecarError } from "../../base/errors.ts";

/** By name, the end of a file's name. */
export const fileEnds = {
  markdown: ".md",
  html: ".html",
  json: ".json",
  jsonl: ".jsonl",
  bundle: ".acpbundle",
} as const;

/**
 * `markdown` and `html` are for people. `json` is what happened (`happenings.ts`) as one document, `jsonl` the entries of
 * the journal to the letter, `bundle` all that another store needs to have the same session.
 */
export type ExportFormat = keyof typeof fileEnds;

export const exportFormats = Object.keys(fileEnds) as readonly ExportFormat[];

/** By its name, or by the end of its files: `html`, `md`. */
export function exportFormatNamed(given: string): ExportFormat | undefined {
  return exportFormats.find((name) => name === given || fileEnds[name] === `.${given}`);
}

/** Errors: `INVALID_PARAMS`. */
export function exportFormatFrom(given: unknown): ExportFormat {
  const format = exportFormats.find((name) => name === given);
  if (format !== undefined) return format;
  throw new SidecarError(
    "INVALID_PARAMS",
    `format is ${JSON.stringify(given)}; allowed: ${exportFormats.join(", ")}`,
  );
}
