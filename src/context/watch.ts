/**
 * Whether anything happened in the folders of known files since they were looked at. `fs.watch` says that much by itself: what
 * chokidar adds (whole trees, what happened to which file) would be found out again by looking, and costs a look at all
 * that is watched. Whatever is not sure is no quiet, and then files are looked at as without it.
 */
import { lstatSync, watch, type FSWatcher } from "node:fs";
import path from "node:path";
import { foldersOf, type NearFolders } from "./near-folders.ts";

/** More folders than these are not watched: every one takes a handle of the system's. */
const mostFolders = 200;
/** However quiet it is, after so long files are looked at: a system may lose what it has to tell. */
const trustMs = 60_000;

interface Watched {
  readonly watcher: FSWatcher;
  /** Whatever has its name by now, this is what says when something happens to it. */
  readonly inode: bigint;
}

export class FolderWatch {
  readonly #watchers = new Map<string, Watched>();
  #isCovered = false;
  #isQuiet = false;
  #files = "";
  #lookedMs = 0;

  /**
   * To be called before files are looked at: what happens from now on is heard.
   * @param near folders that can be asked at once: others are not watched, and what is in them is never quiet
   */
  begin(files: ReadonlyMap<string, unknown>, near: Pick<NearFolders, "has">): void {
    const folders = foldersOf(files.keys());
    for (const folder of this.#watchers.keys()) if (!folders.has(folder)) this.#end(folder);
    this.#isCovered = folders.size <= mostFolders;
    if (this.#isCovered)
      for (const folder of folders) this.#isCovered &&= near.has(folder) && this.#isWatched(folder);
    [this.#isQuiet, this.#files, this.#lookedMs] = [true, nameOf(files), performance.now()];
  }

  /** They were looked at, and not all were what they had been at a glance. */
  noteNews(): void {
    this.#isQuiet = false;
  }

  /** Nothing has happened to these since they were looked at. */
  isQuiet(files: ReadonlyMap<string, unknown>): boolean {
    const isFresh = performance.now() - this.#lookedMs < trustMs;
    if (!this.#isCovered || !this.#isQuiet || !isFresh || nameOf(files) !== this.#files) return false;
    // Where a folder above was moved, nobody says so.
    return [...this.#watchers.keys()].every((folder) => this.#isInPlace(folder));
  }

  close(): void {
    for (const folder of this.#watchers.keys()) this.#end(folder);
    this.#isCovered = false;
  }

  #isWatched(folder: string): boolean {
    if (this.#isInPlace(folder)) return true;
    this.#end(folder);
    try {
      const { ino: inode } = lstatSync(folder, { bigint: true });
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        // It is said of the folder itself, or of what has its name: it may be gone, and another one may come.
        if (name === path.basename(folder)) this.#end(folder, watcher);
        this.noteNews();
      });
      // It is gone, or the system has no more to give.
      watcher.on("error", () => {
        this.#end(folder, watcher);
        this.noteNews();
      });
      this.#watchers.set(folder, { watcher, inode });
      return true;
    } catch {
      return false;
    }
  }

  #isInPlace(folder: string): boolean {
    const watched = this.#watchers.get(folder);
    if (watched === undefined) return false;
    try {
      return lstatSync(folder, { bigint: true, throwIfNoEntry: false })?.ino === watched.inode;
    } catch {
      return false;
    }
  }

  /** @param of unless given, whatever watches it */
  #end(folder: string, of?: FSWatcher): void {
    const watcher = this.#watchers.get(folder)?.watcher;
    of?.close();
    if (watcher === undefined || (of !== undefined && of !== watcher)) return;
    watcher.close();
    this.#watchers.delete(folder);
  }
}

/** By which a set of files is known. */
function nameOf(files: ReadonlyMap<string, unknown>): string {
  return [...files.keys()].join("\0");
}
