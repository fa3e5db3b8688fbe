/** What has become of the files that an agent knows. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Bounds, Unread } from "./bounds.ts";
import { compared, type FileChange } from "./changes.ts";
import { isStill, lookAt, statAt, type FileLook, type FileState } from "./file-state.ts";
import { folderOf, type NearFolders } from "./near-folders.ts";
import { holdsText } from "./text-forms.ts";
import { inGroups, type KnownFile } from "./known-file.ts";

/**
 * `same`: it is what the agent knows, or nothing has happened to it. `unknown`: nobody can tell: it was written to, and may not
 * be read, or nobody knows what it held.
 */
export type What = "created" | "changed" | "deleted" | "renamed" | "unknown" | "same";

export interface FileSince {
  readonly path: string;
  readonly how: KnownFile["how"];
  readonly what: What;
  /** Where it is now. */
  readonly to?: string;
  /** Why nobody can tell, or why it was not read. `touched`: it was written to, and nobody knows what it had held. */
  readonly why?: Unread | "touched";
  /** Nobody can tell, but it was written to, or has other times than it had. */
  readonly mayDiffer?: true;
  /** What the agent was shown was in an editor, and not saved. */
  readonly buffer?: true;
}

/** A file, and how it was found now. */
export interface Seen {
  readonly since: FileSince;
  readonly now: FileLook;
  /** Its folder says when something happens to it: it is no link, and of this machine. */
  readonly isNear?: true;
}

export async function seenNow(
  files: ReadonlyMap<string, KnownFile>,
  bounds: Bounds,
): Promise<ReadonlyMap<string, Seen>> {
  const near = bounds.near();
  const found = new Map<string, Seen>();
  const others: [string, KnownFile][] = [];
  let sinceMs = performance.now();
  for (const [file, known] of files) {
    const same = sameAtAGlance(file, known, near);
    // Each has its place.
    found.set(file, same ?? unseen);
    if (same === undefined) others.push([file, known]);
    if (found.size % glances !== 0 || performance.now() - sinceMs < mostHeldMs) continue;
    await nextTurn();
    sinceMs = performance.now();
  }
  await inGroups(others, async ([file, known]) => {
    found.set(file, await seen(file, known, bounds));
  });
  return found;
}

/** Other sessions are not kept waiting for longer than this; it is looked at the clock after so many files. */
const mostHeldMs = 1;
const glances = 64;

const unseen: Seen = { since: { path: "", how: "read", what: "unknown" }, now: "unknown" };

/** Most files are what they were, and their times say so. */
function sameAtAGlance(path: string, known: KnownFile, near: NearFolders): Seen | undefined {
  const { how, disk, buffer, unread } = known;
  if (disk === undefined || unread !== undefined) return undefined;
  if (!near.has(folderOf(path)) || !isStill(path, disk)) return undefined;
  return { since: { path, how, ...(buffer && { buffer }), what: "same" }, now: disk, isNear: true };
}

async function seen(path: string, known: KnownFile, bounds: Bounds): Promise<Seen> {
  const { how, disk, buffer, unread: named } = known;
  const about = { path, how, ...(buffer && { buffer }) };
  const is = (what: What, now: FileLook, why?: FileSince["why"]): Seen => ({
    since: {
      ...about,
      what,
      ...(why !== undefined && { why }),
      ...(what === "unknown" && now !== "unknown" && { mayDiffer: true }),
    },
    now,
  });
  // Nothing is asked of what lies outside; a link may lead there since.
  const unread = (await bounds.unread(path)) ?? (named === "ignored" ? named : undefined);
  if (unread === "outside" || unread === "unanswered") {
    const told = is("unknown", "unknown", unread);
    // It was within when it was looked at: somebody has put a link there.
    const isLed = unread === "outside" && typeof disk === "object" && bounds.leadsOut(path);
    return isLed ? { ...told, since: { ...told.since, mayDiffer: true } } : told;
  }
  const mayRead = unread === undefined;
  if (disk === undefined) return untold(path, known, mayRead, is, unread);
  const { now, change } = await compared(path, disk, mayRead);
  if (change === undefined) return is("same", now, unread);
  if (change.what === "unknown") return is("unknown", now, whyOf(change, now, unread));
  if (change.what !== "changed" || known.sha256 === undefined || !mayRead)
    return is(change.what, now, unread);
  // What was not saved may have been since.
  const whole = await withHash(path, now);
  return is((await holds(path, whole, known.sha256)) ? "same" : "changed", whole);
}

/** It had been written to when it was looked at first. */
async function untold(
  path: string,
  { sha256 }: KnownFile,
  mayRead: boolean,
  is: (what: What, now: FileLook, why?: FileSince["why"]) => Seen,
  unread: Unread | undefined,
): Promise<Seen> {
  const now = sha256 !== undefined && mayRead ? await lookAt(path) : await statAt(path);
  if (now === "absent") return is("deleted", now);
  if (now === "unknown") return is("unknown", now, "unreadable");
  if (sha256 === undefined) return is("unknown", now, unread ?? "touched");
  if (now.sha256 === undefined) return is("unknown", now, unread ?? "huge");
  if (now.sha256 === sha256) return is("same", now);
  // In another form it may be what the agent was shown, or somebody has changed just that.
  return (await holds(path, now, sha256)) ? is("unknown", now, "touched") : is("changed", now);
}

function whyOf({ isClosed }: FileChange, now: FileLook, unread: Unread | undefined): Unread {
  return now === "unknown" || isClosed === true ? "unreadable" : (unread ?? "huge");
}

async function withHash(path: string, look: FileLook): Promise<FileLook> {
  return typeof look === "string" || look.sha256 !== undefined ? look : lookAt(path);
}

async function holds(path: string, look: FileLook, sha256: string): Promise<boolean> {
  return typeof look === "object" && holdsText(path, look, sha256);
}

/** A change that the agent was not told of yet: of a file that it was told of once it is the next one. */
export async function isNews(
  since: FileSince,
  now: FileLook,
  noted: KnownFile["noted"],
  bounds: Bounds,
): Promise<boolean> {
  if (noted === undefined) return isMoved(since);
  // What cannot be looked at was told as such, or tells nothing.
  if (now === "unknown") return false;
  if (now === "absent" || noted === "absent") return now !== noted;
  const mayRead = (await bounds.unread(since.path)) === undefined;
  const { now: then, change } = await compared(since.path, noted, mayRead);
  return change?.what === "changed" || (change?.what === "unknown" && then !== "unknown");
}

/** It is another than the agent knows, or may be. */
export function isMoved({ what, mayDiffer }: FileSince): boolean {
  return what !== "same" && (what !== "unknown" || mayDiffer === true);
}

/** As it is to be compared with next time: with a hash, where it may be read. */
export async function notedNow(
  path: string,
  now: FileLook,
  bounds: Bounds,
): Promise<FileState | "absent" | undefined> {
  // Only what a link leads out of is news and cannot be looked at: what was there is gone.
  if (now === "unknown") return "absent";
  const look = (await bounds.unread(path)) === undefined ? await withHash(path, now) : now;
  return look === "unknown" ? undefined : look;
}
