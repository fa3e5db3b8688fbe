/** The program, compiled, kept for its next start: from Node 22.8 on that saves a quarter of it. */
import fs from "node:fs";
import module from "node:module";
import path from "node:path";
import { cacheFolderOf, surroundings } from "../config/paths.ts";

interface NewerModule {
  /** Tells of a failure by what it returns; nothing is lost then but time. */
  readonly enableCompileCache?: (folder: string) => unknown;
}

/**
 * Not in the folder for temporary files, where Node would keep it: what stands there others may have put there. A user's
 * own `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` come first.
 */
export function keepCompiled(): void {
  const { enableCompileCache } = module as NewerModule;
  const folder = cacheFolderOf(surroundings());
  if (enableCompileCache === undefined || folder === undefined) return;
  try {
    // Node would make it for everybody to read, and with it the folder of what else is the user's alone.
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    return;
  }
  enableCompileCache(path.join(folder, "code"));
}
