/** The files of a history: found, and looked at for whether they have changed. */
import { closeSync, openSync, readdirSync, readSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { reasonOf, systemCodeOf } from "../../base/errors.ts";
import type { Report } from "./native.ts";

export interface FoundFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

/** No history lies deeper. */
const maxDepth = 6;

/** Every file below a folder that is wanted, or the file itself. What cannot be looked into is told. */
export function* filesBelow(
  place: string,
  wanted: { readonly file: (name: string) => boolean; readonly folder?: (name: string) => boolean },
  report: Report,
): Generator<FoundFile> {
  const open = [{ path: place, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, depth } = next;
    const stats = statsOf(path, report);
    if (stats?.isFile() === true) yield foundFile(path, stats);
    if (stats?.isDirectory() !== true || depth > maxDepth) continue;
    for (const entry of entriesOf(path, report).reverse()) {
      const isWanted = entry.isDirectory()
        ? (wanted.folder?.(entry.name) ?? true)
        : (entry.isFile() || entry.isSymbolicLink()) && wanted.file(entry.name);
      if (isWanted) open.push({ path: join(path, entry.name), depth: depth + 1 });
    }
  }
}

/** The files right in a folder; none where it is not there. */
export function filesIn(folder: string, wanted: (name: string) => boolean, report: Report): FoundFile[] {
  const names = entriesOf(folder, report).filter((entry) => !entry.isDirectory() && wanted(entry.name));
  return names.flatMap(({ name }) => {
    const path = join(folder, name);
    const stats = statsOf(path, report);
    return stats?.isFile() === true ? [foundFile(path, stats)] : [];
  });
}

/** One file; undefined where there is none. */
export function fileAt(path: string, report: Report): FoundFile | undefined {
  const stats = statsOf(path, report);
  return stats?.isFile() === true ? foundFile(path, stats) : undefined;
}

/** How a file begins, as text; its last character may be cut. Empty where it cannot be read: whoever reads all of it says so. */
export function startOf({ path }: FoundFile, bytes: number): string {
  const start = Buffer.alloc(bytes);
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    return start.toString("utf8", 0, readSync(fd, start, 0, bytes, 0));
  } catch {
    return "";
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** When one of them was written to last. */
export function modifiedLast(files: readonly FoundFile[]): number {
  return files.reduce((last, each) => Math.max(last, each.modifiedAtMs), 0);
}

export function bytesIn(files: readonly FoundFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Differs when one of them has. */
export function stampOf(files: readonly FoundFile[]): string {
  return `${files.length}-${bytesIn(files)}-${modifiedLast(files)}`;
}

function foundFile(path: string, { size: bytes, mtimeMs }: Stats): FoundFile {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  return { path, name, bytes, modifiedAtMs: Math.trunc(mtimeMs) };
}

function statsOf(path: string, report: Report): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    noteUnreadable(path, error, report);
    return undefined;
  }
}

function entriesOf(folder: string, report: Report) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    noteUnreadable(folder, error, report);
    return [];
  }
}

/** What has gone meanwhile is no failure. */
function noteUnreadable(path: string, error: unknown, report: Report): void {
  if (systemCodeOf(error) !== "ENOENT") report({ path, reason: `cannot be read: ${reasonOf(error)}` });
}
