/** Branch and head of a working tree, read from its own files: no program is started for it. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { GitPlace } from "./snapshot.ts";

const hash = /^[0-9a-f]{40,64}$/;
/** Of other forms (reftable) nothing is told. */
const branchForm = /^ref: refs\/heads\/(.+)$/;

/** Undefined where it cannot be read like that: git itself is to be asked then. */
export async function gitHeadOf(root: string): Promise<GitPlace | undefined> {
  try {
    const folder = await gitFolderOf(root);
    const said = (await readFile(path.join(folder, "HEAD"), "utf8")).trim();
    if (hash.test(said)) return { root, head: said };
    const branch = branchForm.exec(said)?.[1];
    // What a reftable keeps elsewhere stands here as an invalid name.
    if (branch === undefined || branch === ".invalid") return undefined;
    const head = await headOf(folder, `refs/heads/${branch}`);
    return { root, branch, ...(head !== undefined && { head }) };
  } catch {
    return undefined;
  }
}

/** A worktree, or a submodule, has a file there that names it. */
async function gitFolderOf(root: string): Promise<string> {
  const place = path.join(root, ".git");
  const said = await readFile(place, "utf8").catch(() => "");
  const [, named] = /^gitdir: (.+)$/m.exec(said) ?? [];
  return named === undefined ? place : path.resolve(root, named);
}

async function headOf(folder: string, name: string): Promise<string | undefined> {
  const common = await readFile(path.join(folder, "commondir"), "utf8").catch(() => undefined);
  const places = common === undefined ? [folder] : [folder, path.resolve(folder, common.trim())];
  for (const place of places) {
    const loose = (await readFile(path.join(place, name), "utf8").catch(() => "")).trim();
    if (hash.test(loose)) return loose;
  }
  for (const place of places) {
    const packed = await readFile(path.join(place, "packed-refs"), "utf8").catch(() => "");
    const line = packed.split("\n").find((each) => each.endsWith(` ${name}`));
    const [head = ""] = line?.split(" ") ?? [];
    if (hash.test(head)) return head;
  }
  return undefined;
}
