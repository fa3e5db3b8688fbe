/** What has become of files since they were looked at. */
import { isSameStat, isTooYoung, lookAt, statAt, type FileLook, type FileState } from "./file-state.ts";

/** What a session knows of a file: how it was, or that it was not there. */
export type KnownState = FileState | "absent";

export interface FileChange {
  readonly path: string;
  /** `unknown`: it cannot be looked at, or has other times and may not be read, so that nobody can tell. */
  readonly what: "created" | "changed" | "deleted" | "unknown";
  /** It might have been read, and could not be. */
  readonly isClosed?: true;
}

/** What is so of a file now: how it was found, and whether that is a change. */
export interface Compared {
  readonly now: FileLook;
  readonly change?: FileChange;
}

/**
 * Its contents are read only where its times tell nothing: they differ, or it could have been written to after the look
 * that is known and have the same ones.
 * @param mayRead whether its contents may be looked at
 */
export async function compared(path: string, known: KnownState, mayRead: boolean): Promise<Compared> {
  const now = await statAt(path);
  const changed = (what: FileChange["what"], found: FileLook = now): Compared => ({
    now: found,
    change: { path, what },
  });
  if (now === "unknown") return changed("unknown");
  if (now === "absent") return known === "absent" ? { now } : changed("deleted");
  if (known === "absent") return changed("created");
  if (isSameStat(known, now) && !isTooYoung(known))
    return { now: known.sha256 === undefined ? now : { ...now, sha256: known.sha256 } };
  if (known.size !== now.size) return changed("changed");
  if (known.sha256 === undefined || !mayRead)
    // One that is too young to tell is taken for what it seems, where nothing better can be known.
    return isSameStat(known, now) ? { now } : changed("unknown");
  const look = await lookAt(path);
  if (look === "unknown") return { now, change: { path, what: "unknown", isClosed: true } };
  if (look === "absent") return changed("deleted", look);
  return look.sha256 === known.sha256 ? { now: look } : changed("changed", look);
}
