/** Folders are written in one way, for stores compare them as texts: a slash at the end makes no other folder. */
import { resolve } from "node:path";

export function withPlainCwd<T extends { readonly cwd?: string }>(named: T): T {
  return named.cwd === undefined ? named : { ...named, cwd: resolve(named.cwd) };
}
