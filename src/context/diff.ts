/** What has become of the files that a session knows: since a snapshot, or from one to another. */
import path from "node:path";
import type { SessionRecord } from "../store/contract.ts";
import { Bounds } from "./bounds.ts";
import { gitSince, renamedInCommits, type GitSince } from "./git-since.ts";
import { gitStateOf } from "./git-state.ts";
import type { KnownFile } from "./known-file.ts";
import { withRenames } from "./renames.ts";
import { seenNow, type FileSince, type Seen } from "./since.ts";
import type { GitPlace, Snapshot } from "./snapshot.ts";
import { placeIn, rootsOf } from "./taking.ts";

export interface ContextDiff {
  /** The snapshots that are compared, by version; `to` is absent for what is now. */
  readonly from: number;
  readonly to?: number;
  /** Every known file; those that are as they were, too. */
  readonly files: readonly FileSince[];
  /** Absent where nothing has changed there, or nobody can tell. */
  readonly git?: GitSince;
  /** Other paths below git's root that differ from its head, and did not or otherwise. */
  readonly others: readonly string[];
}

/** A snapshot whose version control may not be known. */
export type Start = Omit<Snapshot, "git"> & { readonly git?: GitPlace | undefined };

export async function sinceSnapshot(
  from: Start,
  record: Pick<SessionRecord, "cwd" | "additionalDirectories">,
  timeMs: number,
): Promise<ContextDiff> {
  const bounds = await Bounds.of(rootsOf(record));
  const [seen, state] = await Promise.all([
    seenNow(from.files, bounds),
    from.files.size === 0 || !bounds.answers(record.cwd) ? undefined : gitStateOf(record.cwd, timeMs),
  ]);
  const now = state && (await placeIn(state, bounds));
  const git = await gitSince(from.git, now?.git, bounds.bothNames(record.cwd), timeMs);
  const fresh = [
    ...(now?.dirty.keys() ?? []),
    ...(git ? (await renamedInCommits(git, timeMs)).values() : []),
  ];
  const root = now?.git?.root ?? record.cwd;
  const places = fresh.map((each) => path.join(root, each));
  const found = await withRenames(from.files, seen, places, bounds);
  const known = new Set([...found.values()].flatMap(({ since }) => [since.path, since.to ?? since.path]));
  return {
    from: from.version,
    files: filesOf(found),
    ...(git !== undefined && { git }),
    others: dirtied(from, now).filter((each) => !known.has(path.join(root, each))),
  };
}

function filesOf(seen: ReadonlyMap<string, Seen>): readonly FileSince[] {
  const places = new Set([...seen.values()].flatMap(({ since }) => since.to ?? []));
  // What a file became is told with it.
  return [...seen.values()]
    .map(({ since }) => since)
    .filter(({ path: file, what }) => what !== "created" || !places.has(file));
}

function dirtied(from: Start, now: Pick<Snapshot, "dirty"> | undefined): string[] {
  if (now === undefined) return [];
  return [...now.dirty].flatMap(([file, letters]) => (from.dirty.get(file) === letters ? [] : [file]));
}

/** As the session saw it: of files that it was not told of in between nobody knows whether they were other ones. */
export async function betweenSnapshots(
  from: Snapshot,
  to: Snapshot,
  cwd: string,
  timeMs: number,
): Promise<ContextDiff> {
  const git = await gitSince(from.git, to.git, [cwd], timeMs);
  const files = [...new Set([...from.files.keys(), ...to.files.keys()])].flatMap((file) => {
    const [was, is] = [from.files.get(file), to.files.get(file)];
    const how = (is ?? was)?.how ?? "read";
    const what = whatBetween(was, is);
    return what === undefined ? [] : [{ path: file, how, what }];
  });
  return {
    from: from.version,
    to: to.version,
    files: renamedBetween(files, from, to),
    ...(git !== undefined && { git }),
    others: dirtied(from, to).filter((each) => !to.files.has(path.join(to.git?.root ?? "", each))),
  };
}

/** Undefined where the one has nothing to do with the other: it was first told of in between, and only read. */
function whatBetween(was: KnownFile | undefined, is: KnownFile | undefined): FileSince["what"] | undefined {
  if (was === undefined) return is?.how === "written" && is.disk !== "absent" ? "changed" : undefined;
  if (is === undefined) return "unknown";
  if (was.disk === "absent") return is.disk === "absent" ? "same" : "created";
  if (is.disk === "absent") return "deleted";
  const [before, then] = [hashIn(was), hashIn(is)];
  if (before !== undefined && then !== undefined) return before === then ? "same" : "changed";
  return JSON.stringify(was) === JSON.stringify(is) ? "same" : "unknown";
}

function hashIn({ sha256, disk }: KnownFile): string | undefined {
  return sha256 ?? (typeof disk === "object" ? disk.sha256 : undefined);
}

/** What was deleted, and was first told of under another name. */
function renamedBetween(files: readonly FileSince[], from: Snapshot, to: Snapshot): readonly FileSince[] {
  // Two that hold the same are told apart by nothing.
  const fresh = new Map<string, string | undefined>();
  for (const [file, known] of to.files) {
    const hash = hashIn(known);
    if (hash === undefined || from.files.get(file)?.disk !== undefined) continue;
    fresh.set(hash, fresh.has(hash) ? undefined : file);
  }
  const gone = new Map<string, number>();
  const hashOf = (file: string) => hashIn(from.files.get(file) ?? { how: "read" }) ?? "";
  for (const { path: file, what } of files)
    if (what === "deleted") gone.set(hashOf(file), (gone.get(hashOf(file)) ?? 0) + 1);
  const places = new Set<string>();
  const told = files.map((each): FileSince => {
    const hash = hashOf(each.path);
    const place = each.what === "deleted" && gone.get(hash) === 1 ? fresh.get(hash) : undefined;
    if (place === undefined) return each;
    places.add(place);
    return { ...each, what: "renamed", to: place };
  });
  return told.filter(({ path: file }) => !places.has(file));
}
