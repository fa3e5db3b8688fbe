/** The configuration file: found, read, its keys known. Its values are checked in check.ts. */
import fs from "node:fs";
import path from "node:path";
import { reasonOf, SidecarError, systemCodeOf } from "../base/errors.ts";
import { suggestion } from "../base/likeness.ts";
import { briefly, visibleLine } from "../base/visible.ts";
import { withoutComments } from "./comments.ts";
import type { GivenName, GivenValues } from "./given.ts";
import { optionNames } from "./options.ts";
import { defaultConfigFile, type Surroundings } from "./paths.ts";
import { structureNames } from "./structures.ts";

/**
 * Adds the file's values to `given`. A named file must be there; the platform's own need not.
 * Returns the path of what was read.
 */
export function readConfigFile(
  named: string | undefined,
  at: Surroundings,
  given: GivenValues,
): string | undefined {
  const file = configFileFor(named, at);
  if (file === undefined) return undefined;
  const text = readText(file, Boolean(named));
  if (text === undefined) return undefined;
  const known: readonly string[] = [...optionNames, "agent", ...structureNames];
  for (const [key, value] of Object.entries(parseObject(file, text))) {
    if (key === "$schema") continue;
    if (!known.includes(key)) {
      const meant = suggestion(key, known) || `; allowed: ${known.join(", ")}`;
      throw invalid(`"${briefly(visibleLine(key))}" in ${file} is not an option${meant}`);
    }
    given.set(key as GivenName, { value, origin: `file ${file}`, label: `"${key}" in ${file}` });
  }
  return file;
}

/** The file that is read, if it is there: the one that is named, else the platform's own. */
export function configFileFor(named: string | undefined, at: Surroundings): string | undefined {
  return named ? path.resolve(named) : defaultConfigFile(at);
}

function readText(file: string, mustExist: boolean): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    const missing = systemCodeOf(error) === "ENOENT";
    if (missing && !mustExist) return undefined;
    throw invalid(
      missing
        ? `--config ${file} does not exist; allowed: a readable JSON file`
        : `The configuration ${file} cannot be read (${reasonOf(error)}); allowed: a readable JSON file`,
      error,
    );
  }
}

function parseObject(file: string, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(withoutComments(text));
  } catch (error) {
    throw invalid(`The configuration ${file} is not JSON${place(text, error)}; allowed: one JSON object`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`The configuration ${file} holds no object; allowed: one JSON object`);
  }
  return value;
}

/** The parser's own message may quote the file, secrets and all: only the place is taken from it. */
function place(text: string, error: unknown): string {
  const position = / at position (\d+)/.exec(reasonOf(error))?.[1];
  if (position === undefined) return "";
  return ` (line ${text.slice(0, Number(position)).split("\n").length})`;
}

function invalid(message: string, cause?: unknown): SidecarError {
  return new SidecarError("CONFIG_INVALID", message, { cause });
}
