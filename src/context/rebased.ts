/** What is known of a project that has moved to another folder: its files are where they were in it. */
import path from "node:path";
import { isWithin } from "./bounds.ts";
import type { Snapshot } from "./snapshot.ts";

export function rebased(snapshot: Snapshot, cwd: string): Snapshot {
  const { cwd: before, files, git } = snapshot;
  if (before === undefined || before === cwd) return snapshot;
  const moved = (file: string) =>
    isWithin(file, [before]) ? path.join(cwd, path.relative(before, file)) : file;
  const root = git?.root === before ? cwd : git?.root;
  return {
    ...snapshot,
    cwd,
    files: new Map([...files].map(([file, known]) => [moved(file), known])),
    ...(git !== undefined && root !== undefined && { git: { ...git, root } }),
  };
}
