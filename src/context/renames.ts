/** Where files have gone: what is there now, is one of them, and was not there before. */
import path from "node:path";
import type { Bounds } from "./bounds.ts";
import { coarseMs, statAt, type FileState } from "./file-state.ts";
import { inGroups, type KnownFile } from "./known-file.ts";
import { Moves, type Gone } from "./moves.ts";
import type { Seen } from "./since.ts";
import { placesFor } from "./whereabouts.ts";

/** So many files are asked for. */
const mostCandidates = 2_000;

/**
 * What was deleted and is there under another name: by its inode, or by what it holds where it came to be there since. It is
 * looked for in the session's folders, outwards from where it was, among the files that are known, and where version control
 * names something new. Where two may be it, neither is told.
 * @param isSought of those that were deleted: others stay so
 */
export async function withRenames(
  files: ReadonlyMap<string, KnownFile>,
  seen: ReadonlyMap<string, Seen>,
  fresh: readonly string[],
  bounds: Bounds,
  isSought: (known: KnownFile) => boolean = () => true,
): Promise<ReadonlyMap<string, Seen>> {
  const gone = [...seen].flatMap(([file, { since }]): Gone[] => {
    const known = files.get(file);
    if (since.what !== "deleted" || typeof known?.disk !== "object" || !isSought(known)) return [];
    return [{ file, was: known.disk }];
  });
  if (gone.length === 0) return seen;
  const places = await candidates(gone, seen, fresh, bounds);
  const found = new Map(seen);
  for (const [file, place] of await new Moves(gone, await statesOf(places, bounds)).found()) {
    const one = seen.get(file);
    if (one !== undefined) found.set(file, { ...one, since: { ...one.since, what: "renamed", to: place } });
  }
  return found;
}

async function candidates(
  gone: readonly Gone[],
  seen: ReadonlyMap<string, Seen>,
  fresh: readonly string[],
  bounds: Bounds,
): Promise<readonly string[]> {
  // Git names a folder of which it knows nothing with a slash behind.
  const folders = fresh.filter((place) => place.endsWith(path.sep)).map((place) => path.resolve(place));
  const found = new Set(fresh.filter((place) => !place.endsWith(path.sep)));
  // What is known and has not changed was there before.
  for (const [file, { since }] of seen)
    if (since.what === "created" || since.what === "changed") found.add(file);
  const sought = { files: gone.map(({ file }) => file), sinceMs: firstLookMs(gone) - coarseMs };
  const walked = await placesFor(sought, folders, bounds);
  for (const file of walked) if (!seen.has(file)) found.add(file);
  for (const [file, { since }] of seen) if (since.what === "same") found.delete(file);
  return [...found].slice(0, mostCandidates);
}

function firstLookMs(gone: readonly Gone[]): number {
  return gone.reduce((first, { was }) => Math.min(first, was.atMs), Infinity);
}

/** How each is now, and whether it may be read. */
async function statesOf(
  files: readonly string[],
  bounds: Bounds,
): Promise<ReadonlyMap<string, FileState & { readonly mayRead: boolean }>> {
  const states = new Map<string, FileState & { readonly mayRead: boolean }>();
  await inGroups(files, async (file) => {
    const unread = await bounds.unread(file);
    if (unread !== undefined && unread !== "secret") return;
    const look = await statAt(file);
    if (typeof look === "object") states.set(file, { ...look, mayRead: unread === undefined });
  });
  return states;
}
