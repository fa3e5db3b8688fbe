/**
 * Brings what was written to the medium: calls that come together share one round of syncs. Nobody else syncs a
 * journal that is in use, because who syncs it and fails must know that it is to be written again.
 */
import fs from "node:fs";
import { promisify } from "node:util";
import { ifThere, readAt } from "./files.ts";
import type { OpenFiles } from "./open-files.ts";
import type { SessionFile } from "./session-file.ts";

const datasync = promisify(fs.fdatasync);

const atOnce = 8;
const stepBytes = 1 << 20;

export class Syncer {
  readonly #open: OpenFiles;
  #files = new Set<SessionFile>();
  #directories = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** Whose last sync failed: they must be written again before the next one means anything. */
  readonly #unsure = new Set<SessionFile>();

  constructor(open: OpenFiles) {
    this.#open = open;
  }

  wrote(file: SessionFile): void {
    this.#files.add(file);
  }

  /** Names were added to or removed from `directory`. */
  changed(directory: string): void {
    this.#directories.add(directory);
  }

  /**
   * On return all that was noted before the call survives a power cut. After a sync has failed, the system may
   * take what it could not write for written, and would not say so again: it is written once more.
   */
  flush(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const round = this.#round();
      // The next round waits for this one however it ends; who asked for this one gets its error.
      this.#running = round.catch(() => {});
      return round;
    });
    return this.#next;
  }

  async #round(): Promise<void> {
    const written = [...this.#files].map((file) => ({ file, path: file.path, place: file.written }));
    // Files before the directories that name them.
    const directories = this.#directories;
    const rounds = [written.map(({ path }) => path), [...directories]];
    this.#files = new Set();
    this.#directories = new Set();
    try {
      for (const { file, path } of written) if (this.#unsure.has(file)) this.#rewrite(path, file.known?.safe);
      for (const round of rounds) await this.#syncAll(round);
      for (const { file, place } of written) file.noteSafe(place);
    } catch (error) {
      for (const { file } of written) this.#unsure.add(file);
      for (const { file } of written) this.#files.add(file);
      for (const directory of directories) this.#directories.add(directory);
      throw error;
    }
    for (const { file } of written) this.#unsure.delete(file);
  }

  /** Writes what stands in a journal behind its safe part to the same place: lines never change. */
  #rewrite(path: string, from = 0): void {
    const fd = this.#openIfThere(path, "r+");
    if (fd === undefined) return;
    try {
      for (let at = from; ;) {
        const bytes = readAt(fd, at, stepBytes);
        if (bytes.length === 0) return;
        for (let done = 0; done < bytes.length;)
          done += fs.writeSync(fd, bytes, done, bytes.length - done, at + done);
        at += bytes.length;
      }
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Goes on when one fails, so that none is still under way when the next round writes something again. */
  async #syncAll(paths: readonly string[]): Promise<void> {
    const queue = paths[Symbol.iterator]();
    const failures: unknown[] = [];
    const worker = async () => {
      for (const each of queue) await this.#sync(each).catch((error: unknown) => failures.push(error));
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, paths.length) }, worker));
    if (failures.length > 0) throw failures[0];
  }

  async #sync(path: string): Promise<void> {
    // As base/disk does it there: a directory has no sync, and a file must be open for writing.
    const isWindows = process.platform === "win32";
    if (isWindows && fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
    const fd = this.#openIfThere(path, isWindows ? "r+" : "r");
    if (fd === undefined) return;
    try {
      await datasync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** What has gone meanwhile was deleted, or went on in a file that was synced before it was used. */
  #openIfThere(path: string, flags: "r" | "r+"): number | undefined {
    return ifThere(() => this.#open.withRoom(() => fs.openSync(path, flags)));
  }
}
