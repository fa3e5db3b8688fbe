/** The files of a log: the one that is written, and those before it, which the last line in them names. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { systemCodeOf } from "../base/errors.ts";

/** Those before the one that is written, the oldest first. */
export function rotatedFiles(file: string): string[] {
  const begin = `${path.basename(file)}.`;
  const isOurs = (name: string) => name.startsWith(begin) && /^\d{12,15}$/.test(name.slice(begin.length));
  try {
    const names = readdirSync(path.dirname(file)).filter(isOurs);
    return names
      .sort((a, b) => Number(a.slice(begin.length)) - Number(b.slice(begin.length)))
      .map((name) => path.join(path.dirname(file), name));
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Where a file goes whose last line has this number. */
export function rotatedFile(file: string, lastSeq: number): string {
  return `${file}.${String(lastSeq).padStart(12, "0")}`;
}

export function lockFileOf(file: string): string {
  return `${file}.lock`;
}
