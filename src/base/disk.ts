/** Directories and files: made, and synced so that they survive a power cut. */
import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { systemCodeOf } from "./errors.ts";

const ownerOnly = 0o700;

/**
 * Makes a directory and the missing ones above it, one by one, so that they survive a power cut. Node's own recursive
 * mkdir never ends where a parent exists but takes no children, as `/proc` does. Errors: the system's own.
 */
export function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let each = path; !isThere(each); each = dirname(each)) missing.unshift(each);
  for (const each of missing) {
    try {
      mkdirSync(each, { mode: ownerOnly });
    } catch (error) {
      // Another process was quicker.
      if (systemCodeOf(error) !== "EEXIST" || !isThere(each)) throw error;
    }
    syncDirectory(dirname(each));
  }
}

/** What was created, renamed or removed in it survives a power cut. Windows has no such call and needs none. */
export function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(directory, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What was written to a file, through whichever descriptor, survives a power cut. */
export function syncFile(path: string): void {
  const fd = openSync(path, "r+");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Where a path leads, links resolved as far as it is there. */
export function realPlace(path: string): string {
  const place = resolve(path);
  try {
    return realpathSync(place);
  } catch {
    return dirname(place) === place ? place : join(realPlace(dirname(place)), basename(place));
  }
}

function isThere(path: string): boolean {
  try {
    // Links are followed: one that leads nowhere cannot become a directory, and mkdir says so.
    return statSync(path).isDirectory();
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" && path !== dirname(path)) return false;
    throw error;
  }
}
