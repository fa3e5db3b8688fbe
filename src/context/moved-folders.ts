/** Where the files of a folder may be that was given another name, or put into another one beside it. */
import { access, readdir } from "node:fs/promises";
import path from "node:path";
import type { Bounds } from "./bounds.ts";

/** So many folders are looked for, and among so many beside each. */
const mostFolders = 20;
const mostBeside = 200;

/** @param gone files that are not there any more @param bounds outside of which nothing is looked for */
export async function inMovedFolders(gone: readonly string[], bounds: Bounds): Promise<readonly string[]> {
  const missing = new Map<string, string[]>();
  const known = new Map<string, string | undefined>();
  for (const file of gone) {
    const place = path.dirname(file);
    const folder = known.has(place) ? known.get(place) : await missingFrom(place);
    known.set(place, folder);
    if (folder === undefined || (await bounds.unread(path.join(path.dirname(folder), "x"))) !== undefined)
      continue;
    const files = missing.get(folder);
    if (files !== undefined) files.push(file);
    else if (missing.size < mostFolders) missing.set(folder, [file]);
  }
  const found: string[] = [];
  for (const [folder, files] of missing)
    for (const place of await placesOf(folder, files))
      found.push(...files.map((file) => path.join(place, path.relative(folder, file))));
  return found;
}

/** The topmost folder that is missing, from this one upwards. */
async function missingFrom(folder: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let step = folder; !(await isThere(step)); step = path.dirname(step)) {
    missing = step;
    if (step === path.dirname(step)) break;
  }
  return missing;
}

/** Folders beside it that have one of its files where it had it: under another name, or it is within them. */
async function placesOf(folder: string, [file = ""]: readonly string[]): Promise<readonly string[]> {
  const above = path.dirname(folder);
  const entries = await readdir(above, { withFileTypes: true }).catch(() => []);
  const beside = entries.filter((entry) => entry.isDirectory()).slice(0, mostBeside);
  const places = beside.flatMap(({ name }) => [
    path.join(above, name),
    path.join(above, name, path.basename(folder)),
  ]);
  const found = await Promise.all(
    places.map((place) => isThere(path.join(place, path.relative(folder, file)))),
  );
  return places.filter((_, at) => found[at] === true);
}

async function isThere(place: string): Promise<boolean> {
  return access(place).then(
    () => true,
    () => false,
  );
}
