/** Branch and head of a working tree, read from its own files: no program is started for it. */
import path from "node:path";
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

/**
 * Undefined where it cannot be read like that: git itself is to be asked then.
 * @param near folders of this machine, where files are read at once
 */
export async function gitHeadOf(root: string, near?: NearFolders): Promise<GitPlace | undefined> {
  const read = (file: string, mostBytes: number) =>
    near?.has(path.dirname(file)) === true ? smallTextAt(file, mostBytes) : smallTextOf(file, mostBytes);
  const folder = await gitFolderOf(root, read);
  const said = (await read(path.join(folder, "HEAD"), lineBytes))?.trim() ?? "";
  if (hash.test(said)) return { root, head: said };
  const branch = branchForm.exec(said)?.[1];
  // What a reftable keeps elsewhere stands here as an invalid name.
  if (branch === undefined || branch === ".invalid") return undefined;
  const head = await headOf(folder, `refs/heads/${branch}`, read);
  return { root, branch, ...(head !== undefined && { head }) };
}

type Read = (file: string, mostBytes: number) => Promise<string | undefined> | string | undefined;

/** A worktree, or a submodule, has a file there that names it. */
async function gitFolderOf(root: string, read: Read): Promise<string> {
  const place = path.join(root, ".git");
  const [, named] = /^gitdir: (.+)$/m.exec((await read(place, lineBytes)) ?? "") ?? [];
  return named === undefined ? place : path.resolve(root, named);
}

async function headOf(folder: string, name: string, read: Read): Promise<string | undefined> {
  const common = await read(path.join(folder, "commondir"), lineBytes);
  const places = common === undefined ? [folder] : [folder, path.resolve(folder, common.trim())];
  for (const place of places) {
    const loose = (await read(path.join(place, name), lineBytes))?.trim() ?? "";
    if (hash.test(loose)) return loose;
  }
  for (const place of places) {
    const packed = await read(path.join(place, "packed-refs"), packedBytes);
    const head = packed === undefined ? undefined : packedHead(packed, name);
    if (head !== undefined) return head;
  }
  return undefined;
}

function packedHead(packed: string, name: string): string | undefined {
  const end = packed.indexOf(` ${name}\n`);
  const head = packed.slice(packed.lastIndexOf("\n", end) + 1, Math.max(0, end));
  return hash.test(head) ? head : undefined;
}
