/** Branch and head of a working tree, read from its own files: no program is started for it. */
import path from "node:path";
import { isThere } from "./folders.ts";
import type { NearFolders } from "./near-folders.ts";
import { smallTextAt, smallTextOf } from "./small-text.ts";
import type { GitPlace } from "./snapshot.ts";

const hash = /^[0-9a-f]{40,64}$/;
/** Of other forms (reftable) nothing is told. */
const branchForm = /^ref: refs\/heads\/(.+)$/;
/** A name, or a commit. */
const lineBytes = 4_096;
/** Some hundred thousand branches and tags. */
const packedBytes = 16 << 20;
/** A branch may be another name for one, and so on; git follows no more. */
const mostNames = 5;

/**
 * Undefined where it cannot be read like that: git itself is to be asked then.
 * @param near folders of this machine, where files are read at once
 */
export async function gitHeadOf(root: string, near?: NearFolders): Promise<GitPlace | undefined> {
  const read = (file: string, mostBytes: number) =>
    near?.has(path.dirname(file)) === true ? smallTextAt(file, mostBytes) : smallTextOf(file, mostBytes);
  const folder = await gitFolderOf(root, read);
  let said = (await read(path.join(folder, "HEAD"), lineBytes))?.trim() ?? "";
  if (hash.test(said)) return { root, head: said };
  for (let names = 0; names < mostNames; names += 1) {
    const branch = branchForm.exec(said)?.[1];
    // What a reftable keeps elsewhere stands here as an invalid name.
    if (branch === undefined || branch === ".invalid") return undefined;
    const found = await refIn(folder, `refs/heads/${branch}`, read);
    if (found === undefined) return undefined;
    if (found === "") return { root, branch };
    if (hash.test(found)) return { root, branch, head: found };
    said = found;
  }
  return undefined;
}

type Read = (file: string, mostBytes: number) => Promise<string | undefined> | string | undefined;

/** A worktree, or a submodule, has a file there that names it. */
async function gitFolderOf(root: string, read: Read): Promise<string> {
  const place = path.join(root, ".git");
  const [, named] = /^gitdir: (.+)$/m.exec((await read(place, lineBytes)) ?? "") ?? [];
  return named === undefined ? place : path.resolve(root, named);
}

/** What it holds: a commit, or another name. Empty where there is none; undefined where that cannot be told. */
async function refIn(folder: string, name: string, read: Read): Promise<string | undefined> {
  const common = await read(path.join(folder, "commondir"), lineBytes);
  const places = common === undefined ? [folder] : [folder, path.resolve(folder, common.trim())];
  for (const place of places) {
    const loose = (await read(path.join(place, name), lineBytes))?.trim() ?? "";
    if (hash.test(loose) || branchForm.test(loose)) return loose;
  }
  for (const place of places) {
    const file = path.join(place, "packed-refs");
    const packed = await read(file, packedBytes);
    const head = packed === undefined ? undefined : packedHead(packed, name);
    if (head !== undefined) return head;
    if (packed === undefined && (await isThere(file))) return undefined;
  }
  return "";
}

function packedHead(packed: string, name: string): string | undefined {
  const end = packed.indexOf(` ${name}\n`);
  const head = packed.slice(packed.lastIndexOf("\n", end) + 1, Math.max(0, end));
  return hash.test(head) ? head : undefined;
}
