/** Where a working tree of git stands: branch, head, and what differs from it (git-status, porcelain format version 2). */
import { gitAbove } from "./git-above.ts";
import { isFolder } from "./folders.ts";
import { askGit } from "./git.ts";
import { withoutFilters } from "./git-filters.ts";
import { gitHeadOf } from "./git-head.ts";
import type { GitPlace } from "./snapshot.ts";

export interface GitState {
  /** The folder at the top of the working tree. */
  readonly root: string;
  /** Absent on a detached head. */
  readonly branch?: string;
  /** The commit; absent before the first one. */
  readonly head?: string;
  /** Paths below the root that differ from the head, each with git's two letters (`.M`, `A.`, `??`). */
  readonly dirty: Readonly<Record<string, string>>;
  /** There were more. */
  readonly isCut: boolean;
}

/** Paths of the dirty set that are kept: a folder that was just unpacked has all of its files in it. */
const maxDirty = 2_000;

/** The top of the working tree. Undefined where git does not know the folder, or does not answer in time. */
export async function gitRootOf(folder: string, timeoutMs: number): Promise<string | undefined> {
  // To start a program for what is not there is dear.
  if (!(await isFolder(folder))) return undefined;
  const top = await askGit(folder, ["rev-parse", "--show-toplevel"], timeoutMs);
  const root = top?.output.replace(/\r?\n$/, "");
  // A repository without a working tree has none.
  return root === "" ? undefined : root;
}

/** The same of what git says of it; without git's program, or where that refuses, of what its files say. */
export async function gitStateOf(folder: string, timeoutMs: number): Promise<GitState | undefined> {
  const until = performance.now() + timeoutMs;
  const root = await gitRootOf(folder, timeoutMs);
  if (root !== undefined) return stateOfTree(root, until - performance.now());
  // One that is too slow may know more next time.
  return performance.now() < until ? placeOnly(await gitAbove(folder)) : undefined;
}

function placeOnly(place: GitPlace | undefined): GitState | undefined {
  return place && { ...place, dirty: {}, isCut: true };
}

const statusArgs = [
  "status",
  "--porcelain=v2",
  "--branch",
  "-z",
  "--untracked-files=normal",
  "--ignore-submodules=all",
];

/** @param root as `gitRootOf` gives it */
export async function stateOfTree(root: string, timeoutMs: number): Promise<GitState | undefined> {
  if (timeoutMs <= 0) return undefined;
  const untilMs = performance.now() + timeoutMs;
  const harmless = await withoutFilters(root, timeoutMs);
  const leftMs = untilMs - performance.now();
  if (leftMs <= 0) return undefined;
  if (harmless === undefined) return placeOnly(await gitHeadOf(root));
  const said = await askGit(root, [...harmless, ...statusArgs], leftMs);
  return said && { root, ...statusIn(said.output, said.isCut) };
}

/** Exported for its test. */
export function statusIn(output: string, isCut: boolean): Omit<GitState, "root"> {
  const dirty: Record<string, string> = Object.create(null) as Record<string, string>;
  let [branch, head, count]: [string | undefined, string | undefined, number] = [undefined, undefined, 0];
  const parts = output.split("\0");
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? "";
    const [kind, rest] = [part[0], part.slice(2)];
    if (kind === "#") {
      if (rest.startsWith("branch.oid ")) head = headIn(rest.slice("branch.oid ".length));
      if (rest.startsWith("branch.head ")) branch = branchIn(rest.slice("branch.head ".length));
      continue;
    }
    const path = pathIn(kind, rest);
    // The part behind a renamed one is where it came from.
    if (kind === "2") at += 1;
    if (path === undefined) continue;
    count += 1;
    if (count <= maxDirty) dirty[path] = kind === "?" ? "??" : part.slice(2, 4);
  }
  return {
    ...(branch !== undefined && { branch }),
    ...(head !== undefined && { head }),
    dirty,
    isCut: isCut || count > maxDirty,
  };
}

function headIn(text: string): string | undefined {
  return text === "(initial)" ? undefined : text;
}

function branchIn(text: string): string | undefined {
  return text === "(detached)" ? undefined : text;
}

/** How many fields stand before the path: it may hold spaces. */
const fieldsBefore: Readonly<Record<string, number>> = { "1": 7, "2": 8, u: 9 };

function pathIn(kind: string | undefined, rest: string): string | undefined {
  if (kind === "?") return rest;
  let fields = fieldsBefore[kind ?? ""];
  if (fields === undefined) return undefined;
  let from = 0;
  for (; fields > 0; fields -= 1) {
    const space = rest.indexOf(" ", from);
    if (space < 0) return undefined;
    from = space + 1;
  }
  return rest.slice(from);
}
