/** What the project of a folder is: said by its files and by git, within bounds of size and time, and without its secrets. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { redactUrls } from "../base/redact.ts";
import { isFolder } from "./folders.ts";
import { gitAbove } from "./git-above.ts";
import { askGit } from "./git.ts";
import { gitRootOf, stateOfTree, type GitState } from "./git-state.ts";
import { isInstruction, isManifest } from "./landmarks.ts";
import { languageOf } from "./languages.ts";
import { trackedFiles, walkedFiles, type Bounds, type ProjectFiles } from "./project-files.ts";
import { placeOf } from "./sign-of-life.ts";
import type { GitPlace } from "./snapshot.ts";
import { scriptsOf, type Script } from "./scripts.ts";

export interface Discovery {
  /** The folder that was asked about. */
  readonly folder: string;
  /** The top of the working tree; the folder itself where there is none. */
  readonly root: string;
  /** Undefined where nothing controls versions. Without git's program, or where that refuses, only branch and head are told. */
  readonly versionControl?: {
    readonly kind: "git" | "hg" | "svn" | "jj";
    readonly branch?: string;
    readonly head?: string;
    /** Of `origin`, without a name or password in it. */
    readonly remote?: string;
    /** How many paths differ from the head, where git says it. */
    readonly dirty?: number;
  };
  /** Files of each language that we know, most first. */
  readonly languages: readonly { readonly name: string; readonly files: number }[];
  /** Below the root. */
  readonly manifests: readonly string[];
  readonly scripts: readonly Script[];
  /** Files that are written for agents, below the root. */
  readonly instructions: readonly string[];
  readonly files: number;
  /** There are more files than were looked at. */
  readonly isCut: boolean;
  readonly atMs: number;
}

export interface DiscoveryOptions {
  /** Files that are looked at, by name. Default 200,000. */
  readonly mostFiles?: number;
  /** After so long what is known by then is told. Default 2 s. */
  readonly timeMs?: number;
}

const mostNamed = 50;
const others = { ".jj": "jj", ".hg": "hg", ".svn": "svn" } as const;

/** Undefined for a folder that is not there, or does not answer within a second. */
export async function discover(
  folder: string,
  { mostFiles = 200_000, timeMs = 2_000 }: DiscoveryOptions = {},
): Promise<Discovery | undefined> {
  if ((await placeOf(folder)) === undefined || !(await isFolder(folder))) return undefined;
  const atMs = Date.now();
  const untilMs = performance.now() + timeMs;
  const inGit = await gitRootOf(folder, timeMs);
  const unasked = inGit === undefined ? await gitAbove(folder) : undefined;
  const root = inGit ?? unasked?.root ?? folder;
  const leftMs = Math.max(50, untilMs - performance.now());
  const bounds: Bounds = { files: mostFiles, timeMs: leftMs };
  // Each is a program of its own; together they take as long as the longest.
  const [git, tracked, remote] =
    inGit === undefined
      ? []
      : await Promise.all([
          stateOfTree(root, untilMs - performance.now()),
          trackedFiles(root, bounds),
          askGit(root, ["config", "--get", "remote.origin.url"], leftMs),
        ]);
  const found = (git && tracked) ?? (await walkedFiles(root, bounds));
  const manifests = found.paths.filter(isManifest).sort().slice(0, mostNamed);
  const control = git === undefined ? otherControl(folder, unasked) : gitFacts(git, remote?.output.trim());
  return {
    folder,
    root,
    ...(control && { versionControl: control }),
    languages: languagesIn(found),
    manifests,
    scripts: await scriptsOf(root, manifests),
    instructions: found.paths.filter(isInstruction).sort().slice(0, mostNamed),
    files: found.paths.length,
    isCut: found.isCut || git?.isCut === true,
    atMs,
  };
}

function gitFacts(
  { branch, head, dirty }: GitState,
  remote: string | undefined,
): Discovery["versionControl"] {
  return {
    kind: "git",
    ...(branch !== undefined && { branch }),
    ...(head !== undefined && { head }),
    ...(remote && { remote: withoutCredentials(remote) }),
    dirty: Object.keys(dirty).length,
  };
}

/** A token may stand there without a password beside it. */
function withoutCredentials(remote: string): string {
  return redactUrls(remote.replace(/^([a-z][a-z0-9+.-]{0,20}:\/\/)[^/?#]*@/i, "$1"));
}

function otherControl(folder: string, unasked: GitPlace | undefined): Discovery["versionControl"] {
  if (unasked !== undefined) {
    const { branch, head } = unasked;
    return { kind: "git", ...(branch !== undefined && { branch }), ...(head !== undefined && { head }) };
  }
  for (const [name, kind] of Object.entries(others)) if (existsSync(join(folder, name))) return { kind };
  return undefined;
}

function languagesIn({ paths }: ProjectFiles): Discovery["languages"] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const language = languageOf(path);
    if (language !== undefined) counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  const all = [...counts].map(([name, files]) => ({ name, files }));
  return all.sort((a, b) => b.files - a.files || (a.name < b.name ? -1 : 1));
}
