/** Where files have gone: what is there now, is one of them, and was not there before. */
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Bounds } from "./bounds.ts";
import { coarseMs, lookAt, statAt, touchedMsOf, type FileState } from "./file-state.ts";
import { inGroups, type KnownFile } from "./known-file.ts";
import { inMovedFolders } from "./moved-folders.ts";
import type { Seen } from "./since.ts";

/** So many files are asked for, and so many of them read. */
const mostCandidates = 2_000;
const mostRead = 100;

/**
 * What was deleted and is there under another name: by its inode, or by what it holds where it came to be there since. It is
 * looked for beside where it was, where its folder may have gone, among the files that are known, and where version control names
 * something new.
 */
export async function withRenames(
  files: ReadonlyMap<string, KnownFile>,
  seen: ReadonlyMap<string, Seen>,
  fresh: readonly string[],
  bounds: Bounds,
): Promise<ReadonlyMap<string, Seen>> {
  const gone = [...seen].flatMap(([file, { since }]) => {
    const disk = files.get(file)?.disk;
    return since.what === "deleted" && typeof disk === "object" ? [[file, disk] as const] : [];
  });
  if (gone.length === 0) return seen;
  const states = await statesOf(await candidates(gone, seen, fresh, bounds), seen, bounds);
  const found = new Map(seen);
  const taken = new Set<string>();
  let read = 0;
  for (const [file, was] of gone) {
    const place = await placeOf(was, states, taken, () => (read += 1) <= mostRead);
    const one = seen.get(file);
    if (place === undefined || one === undefined) continue;
    taken.add(place);
    found.set(file, { ...one, since: { ...one.since, what: "renamed", to: place } });
  }
  return found;
}

async function candidates(
  gone: readonly (readonly [string, FileState])[],
  seen: ReadonlyMap<string, Seen>,
  fresh: readonly string[],
  bounds: Bounds,
): Promise<readonly string[]> {
  const found = new Set(fresh);
  // What is known and has not changed was there before.
  for (const [file, { since }] of seen)
    if (since.what === "created" || since.what === "changed") found.add(file);
  for (const file of await inMovedFolders(
    gone.map(([file]) => file),
    bounds,
  ))
    found.add(file);
  const folders = new Set(gone.map(([file]) => path.dirname(file)));
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.slice(0, mostCandidates)) {
      const file = path.join(folder, name);
      if (!seen.has(file)) found.add(file);
    }
    if (found.size >= mostCandidates) break;
  }
  return [...found].slice(0, mostCandidates);
}

async function statesOf(
  files: readonly string[],
  seen: ReadonlyMap<string, Seen>,
  bounds: Bounds,
): Promise<ReadonlyMap<string, FileState>> {
  const states = new Map<string, FileState>();
  await inGroups(files, async (file) => {
    if (seen.get(file)?.since.what === "same" || (await bounds.unread(file)) !== undefined) return;
    const look = await statAt(file);
    if (typeof look === "object") states.set(file, look);
  });
  return states;
}

async function placeOf(
  was: FileState,
  states: ReadonlyMap<string, FileState>,
  taken: ReadonlySet<string>,
  mayRead: () => boolean,
): Promise<string | undefined> {
  const same = [...states].filter(([file, { size }]) => size === was.size && !taken.has(file));
  const isSame = async (file: string) => {
    if (was.sha256 === undefined || !mayRead()) return undefined;
    const look = await lookAt(file);
    return typeof look === "object" && look.sha256 === was.sha256;
  };
  for (const [file, { inode }] of same) {
    // An inode may be given to another file.
    if (inode === was.inode && (await isSame(file)) !== false) return file;
  }
  for (const [file, state] of same)
    if (touchedMsOf(state) >= was.atMs - coarseMs && (await isSame(file)) === true) return file;
  return undefined;
}
