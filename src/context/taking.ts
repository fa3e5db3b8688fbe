/** Taking a snapshot: what was told of since the one before is looked at, and version control is asked. */
import type { SessionRecord } from "../store/contract.ts";
import { Bounds } from "./bounds.ts";
import { gitStateOf, type GitState } from "./git-state.ts";
import type { KnownAt } from "./known-at.ts";
import { knownOf } from "./known-file.ts";
import { keepLast, setLast } from "./latest.ts";
import { rebased } from "./rebased.ts";
import type { Snapshot } from "./snapshot.ts";
import { mostFiles, type ToldFile } from "./told-files.ts";

/** Paths of the dirty set that are kept. */
const mostDirty = 500;

export function rootsOf({
  cwd,
  additionalDirectories,
}: Pick<SessionRecord, "cwd" | "additionalDirectories">): readonly string[] {
  return [cwd, ...additionalDirectories];
}

export interface Taking {
  /** After so long git is not waited for; what it said before counts. */
  readonly timeMs: number;
  /** `files`: version control is not asked. */
  readonly what?: "all" | "files";
  /** Where they are at hand. */
  readonly bounds?: Bounds;
}

/** What is known now. What was known before stays as it was: only what was told of since is looked at. */
export async function takeSnapshot(
  { snapshot: before, told, throughSeq, hasCalls }: KnownAt,
  record: Pick<SessionRecord, "cwd" | "additionalDirectories">,
  { timeMs, what = "all", bounds: given }: Taking,
): Promise<Snapshot> {
  const snapshot = rebased(before, record.cwd);
  const asksGit = what === "all" && hasCalls && snapshot.files.size > 0;
  if (told.size === 0 && !asksGit) return { ...snapshot, throughSeq };
  const bounds = given ?? (await Bounds.of(rootsOf(record)));
  const files = new Map(snapshot.files);
  for (const [file, known] of await knownOf(ownNames(told, bounds), bounds, timeMs)) {
    setLast(files, file, known);
  }
  keepLast(files, mostFiles);
  const state =
    what === "files" || !bounds.answers(record.cwd) ? undefined : await gitStateOf(record.cwd, timeMs);
  return {
    ...snapshot,
    throughSeq,
    cwd: record.cwd,
    files,
    ...(state !== undefined && (await placeIn(state, bounds))),
  };
}

/** Of a file that was told of by two names the last counts: what an agent wrote by the one it has not by the other. */
function ownNames(told: KnownAt["told"], bounds: Bounds): KnownAt["told"] {
  const named = new Map<string, ToldFile>();
  for (const [file, each] of told) setLast(named, bounds.ownName(file), each);
  return named;
}

/** Its root by the name that the session has for it. */
export async function placeIn(
  { root, branch, head, dirty }: GitState,
  bounds: Bounds,
): Promise<Pick<Snapshot, "git" | "dirty">> {
  const git = {
    root: await bounds.nameOf(root),
    ...(branch !== undefined && { branch }),
    ...(head !== undefined && { head }),
  };
  return { git, dirty: new Map(Object.entries(dirty).slice(0, mostDirty)) };
}
