/** What has become of version control: another branch, another head, how many commits between them. */
import { isWithin } from "./bounds.ts";
import { askGit } from "./git.ts";
import type { GitPlace } from "./snapshot.ts";

export interface GitSince {
  readonly from: GitPlace;
  readonly to: GitPlace;
  /** Another branch is checked out, or none where there was one. */
  readonly isSwitched: boolean;
  /** Commits that are there now and were not; undefined where nobody can tell: what was the head then is not known any more. */
  readonly commits?: number;
}

/**
 * Undefined where both are the same, or one of them is not known.
 * @param folders names of the session's folder: what a journal says of other repositories is not believed, because it may have come from elsewhere
 */
export async function gitSince(
  from: GitPlace | undefined,
  to: GitPlace | undefined,
  folders: readonly string[],
  timeMs: number,
): Promise<GitSince | undefined> {
  if (from === undefined || to === undefined || from.root !== to.root || !isAbove(from.root, folders))
    return undefined;
  const isSwitched = from.branch !== to.branch;
  if (!isSwitched && from.head === to.head) return undefined;
  const commits = await commitsBetween(from, to, timeMs);
  return { from, to, isSwitched, ...(commits !== undefined && { commits }) };
}

/** Whether a folder may be the top of a working tree that holds another. */
export function isAbove(root: string, folders: readonly string[]): boolean {
  return folders.some((folder) => root === folder || isWithin(folder, [root]));
}

const hash = /^[0-9a-f]{7,64}$/;

async function commitsBetween(from: GitPlace, to: GitPlace, timeMs: number): Promise<number | undefined> {
  if (to.head === from.head) return 0;
  if (to.head === undefined || !hash.test(to.head)) return undefined;
  // Before the first commit there was none.
  if (from.head !== undefined && !hash.test(from.head)) return undefined;
  const range = from.head === undefined ? [to.head] : [`${from.head}..${to.head}`];
  const said = await askGit(to.root, ["rev-list", "--count", ...range, "--"], timeMs);
  const count = Number(said?.output.trim());
  return said !== undefined && Number.isSafeInteger(count) ? count : undefined;
}

/** Files that were given another name in commits: where each is now, by path. */
export async function renamedInCommits(
  { from, to }: GitSince,
  timeMs: number,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (from.head === undefined || to.head === undefined || from.head === to.head) return found;
  if (!hash.test(from.head) || !hash.test(to.head)) return found;
  const args = [
    "diff",
    "--name-status",
    "-z",
    "--no-ext-diff",
    "-M",
    "--diff-filter=R",
    from.head,
    to.head,
    "--",
  ];
  const parts = (await askGit(to.root, args, timeMs))?.output.split("\0") ?? [];
  for (let at = 0; at + 2 < parts.length; at += 3) found.set(parts[at + 1] ?? "", parts[at + 2] ?? "");
  return found;
}
