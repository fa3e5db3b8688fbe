/** Where files that are gone may be now: by names, outwards from where they were, within bounds of number and time. */
import path from "node:path";
import { within } from "../base/time.ts";
import type { Bounds } from "./bounds.ts";
import { isThere } from "./folders.ts";
import { Walk, type Sought } from "./walk.ts";

/** What hangs is left alone; what was found until then counts. */
const timeMs = 400;

/**
 * @param sought the files, and since when they may be elsewhere
 * @param folders where something new is said to be
 * @param bounds outside of which nothing is looked for
 */
export async function placesFor(
  sought: Sought,
  folders: readonly string[],
  bounds: Bounds,
): Promise<readonly string[]> {
  const were = new Set(sought.files.map((file) => path.dirname(file)));
  const starts: string[] = [];
  for (const start of new Set([...folders, ...(await nearestOf(were)), ...bounds.answering()]))
    if ((await bounds.unread(path.join(start, "x"))) === undefined) starts.push(start);
  const walk = new Walk(starts, sought, bounds.near(), timeMs);
  await within(walk.run(), timeMs);
  return walk.found();
}

/** Of each folder the nearest that is there: itself, or one above it. */
async function nearestOf(folders: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const known = new Map<string, boolean>();
  const found = new Set<string>();
  for (const folder of folders) {
    let step = folder;
    while (path.dirname(step) !== step) {
      const isHere = known.get(step) ?? (await isThere(step));
      known.set(step, isHere);
      if (isHere) break;
      step = path.dirname(step);
    }
    found.add(step);
  }
  return found;
}
