/** What the indexes of search take up, and when one of them was last written: of all stores of the user together. */
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { systemCodeOf } from "../base/errors.ts";
import type { Snapshot } from "./snapshot.ts";

/** @param cacheFolder the user's, in which each store's index is a file below `search` */
export function indexFigures(cacheFolder: string | undefined, nowMs: number): Snapshot["gauges"] {
  if (cacheFolder === undefined) return {};
  let [indexSize, writtenMs] = [0, 0];
  for (const file of filesIn(path.join(cacheFolder, "search"))) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) continue;
    indexSize += found.size;
    writtenMs = Math.max(writtenMs, found.mtimeMs);
  }
  if (writtenMs === 0) return {};
  return { indexSize, indexAge: Math.max(0, Math.round((nowMs - writtenMs) / 1000)) };
}

/** Databases and their logs. */
function filesIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /\.db(?:-wal)?$/.test(name));
    return names.map((name) => path.join(folder, name));
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return [];
  }
}
