/** Which files a project has: as git knows them, else by walking through its folder, within bounds. */
import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { askGit } from "./git.ts";

export interface ProjectFiles {
  /** Below the root, with slashes. */
  readonly paths: readonly string[];
  /** There are more, or not all could be looked at. */
  readonly isCut: boolean;
}

export interface Bounds {
  readonly files: number;
  readonly timeMs: number;
}

/** Folders that are made by tools and hold nothing of the project. */
const derived = new Set(
  ".git .hg .svn .jj node_modules target dist build out .venv venv __pycache__ .next .nuxt .cache .gradle .tox .mypy_cache vendor Pods DerivedData coverage".split(
    " ",
  ),
);

/** What git tracks, or would where it tracks nothing yet. Undefined where it does not answer. */
export async function trackedFiles(
  root: string,
  { files, timeMs }: Bounds,
): Promise<ProjectFiles | undefined> {
  const tracked = await askGit(root, ["ls-files", "-z", "--cached"], timeMs);
  const said =
    tracked?.output === ""
      ? await askGit(root, ["ls-files", "-z", "--others", "--exclude-standard"], timeMs)
      : tracked;
  if (said === undefined) return undefined;
  // The last one may be cut, where all is.
  const paths = said.output.split("\0").slice(0, -1);
  return { paths: paths.slice(0, files), isCut: said.isCut || paths.length > files };
}

/** Breadth first, so that what is cut is deep. Links are not followed: they lead out, or in circles. */
export async function walkedFiles(root: string, { files, timeMs }: Bounds): Promise<ProjectFiles> {
  const untilMs = performance.now() + timeMs;
  const paths: string[] = [];
  const folders = [""];
  let isCut = false;
  for (let at = 0; at < folders.length; at += 1) {
    const below = folders[at] ?? "";
    try {
      for await (const entry of await opendir(join(root, below))) {
        if (paths.length >= files || performance.now() > untilMs) return { paths, isCut: true };
        const path = below === "" ? entry.name : `${below}/${entry.name}`;
        if (entry.isDirectory()) {
          if (!derived.has(entry.name)) folders.push(path);
        } else if (entry.isFile()) paths.push(path);
      }
    } catch {
      // It went meanwhile, or is nobody's to look into.
      isCut = true;
    }
  }
  return { paths, isCut };
}
