/** Making a directory and those that lead to it, one by one: what cannot be made fails at once. */
import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

const ownerOnly = 0o700;

/**
 * What it makes survives a power cut. Returns the topmost directory that was made; undefined when all were there. Node's own recursive mkdir
 * tries for ever where a parent is there and takes no children, as `/proc` does. Errors: the system's own.
 */
export function makeDirectory(path: string): string | undefined {
  const missing: string[] = [];
  for (let each = path; !isThere(each); each = dirname(each)) missing.unshift(each);
  for (const each of missing) {
    try {
      mkdirSync(each, { mode: ownerOnly });
    } catch (error) {
      // Another process was quicker.
      if (!hasCode(error, "EEXIST") || !isThere(each)) throw error;
    }
    syncNamesIn(dirname(each));
  }
  return missing[0];
}

/** Windows has no such call and needs none. */
function syncNamesIn(directory: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(directory, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function isThere(path: string): boolean {
  try {
    // Through links: one that leads nowhere cannot be made a directory, and says so below.
    return statSync(path).isDirectory();
  } catch (error) {
    if (hasCode(error, "ENOENT") && path !== dirname(path)) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
