/**
 * Whether anything happened in the folders of known files since they were looked at. `fs.watch` says that much by itself: what
 * chokidar adds (whole trees, what happened to which file) would be found out again by looking, and costs a look at all
 * that is watched. Whatever is not sure is no quiet, and then files are looked at as without it.
 */
import { watch, type FSWatcher } from "node:fs";
import { foldersOf } from "./near-folders.ts";

/** More folders than these are not watched: every one takes a handle of the system's. */
const mostFolders = 200;
/** However quiet it is, after so long files are looked at: a system may lose what it has to tell. */
const trustMs = 60_000;

export class FolderWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  #isCovered = false;
  #isQuiet = false;
  #files = "";
  #lookedMs = 0;

  /** To be called before files are looked at: what happens from now on is heard. */
  begin(files: ReadonlyMap<string, unknown>): void {
    const folders = foldersOf(files.keys());
    for (const [folder, watcher] of this.#watchers) if (!folders.has(folder)) this.#end(folder, watcher);
    this.#isCovered = folders.size <= mostFolders;
    if (this.#isCovered) for (const folder of folders) this.#isCovered &&= this.#isWatched(folder);
    [this.#isQuiet, this.#files, this.#lookedMs] = [true, nameOf(files), performance.now()];
  }

  /** They were looked at, and not all were what they had been at a glance. */
  noteNews(): void {
    this.#isQuiet = false;
  }

  /** Nothing has happened to these since they were looked at. */
  isQuiet(files: ReadonlyMap<string, unknown>): boolean {
    const isFresh = performance.now() - this.#lookedMs < trustMs;
    return this.#isCovered && this.#isQuiet && isFresh && nameOf(files) === this.#files;
  }

  close(): void {
    for (const [folder, watcher] of this.#watchers) this.#end(folder, watcher);
    this.#isCovered = false;
  }

  #isWatched(folder: string): boolean {
    if (this.#watchers.has(folder)) return true;
    try {
      const watcher = watch(folder, { persistent: false }, () => this.noteNews());
      // It is gone, or the system has no more to give.
      watcher.on("error", () => {
        this.#end(folder, watcher);
        this.noteNews();
      });
      this.#watchers.set(folder, watcher);
      return true;
    } catch {
      return false;
    }
  }

  #end(folder: string, watcher: FSWatcher): void {
    watcher.close();
    this.#watchers.delete(folder);
  }
}

/** By which a set of files is known. */
function nameOf(files: ReadonlyMap<string, unknown>): string {
  return [...files.keys()].join("\0");
}
