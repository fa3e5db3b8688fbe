/**
 * Brings what was written to the medium: calls that come together share one round of syncs. Nobody else syncs a
 * journal that is in use, for who syncs it and fails must know that it is to be written again.
 */
import fs from "node:fs/promises";
import { isMissing, storeError } from "./fs-errors.ts";
import type { SessionFile } from "./session-file.ts";

const atOnce = 8;
const pieceBytes = 1 << 20;

export class Syncer {
  readonly #root: string;
  #files = new Set<SessionFile>();
  #directories = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** Whose last sync failed: they must be written again before the next one means anything. */
  readonly #doubtful = new Set<SessionFile>();

  constructor(root: string) {
    this.#root = root;
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
      for (const { file, path } of written)
        if (this.#doubtful.has(file)) await rewrite(path, file.known?.safe);
      for (const round of rounds) await syncAll(round);
      for (const { file, place } of written) file.noteSafe(place);
    } catch (error) {
      for (const { file } of written) this.#doubtful.add(file);
      for (const { file } of written) this.#files.add(file);
      for (const directory of directories) this.#directories.add(directory);
      throw storeError(error, this.#root);
    }
    for (const { file } of written) this.#doubtful.delete(file);
  }
}

/** Writes what stands in a journal behind its safe part to the same place: lines never change. */
async function rewrite(path: string, from = 0): Promise<void> {
  const handle = await openIfThere(path, "r+");
  if (handle === undefined) return;
  try {
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let at = from; ;) {
      const { bytesRead } = await handle.read(piece, 0, pieceBytes, at);
      if (bytesRead === 0) return;
      for (let done = 0; done < bytesRead;) {
        done += (await handle.write(piece, done, bytesRead - done, at + done)).bytesWritten;
      }
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** Goes on when one fails, so that none is still under way when the next round writes something again. */
async function syncAll(paths: readonly string[]): Promise<void> {
  const queue = paths[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const each of queue) await sync(each).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, paths.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

/** What has gone meanwhile was deleted, or went on in a file that was synced before it was used. */
async function sync(path: string): Promise<void> {
  const handle = await openIfThere(path, "r");
  try {
    await handle?.datasync();
  } finally {
    await handle?.close();
  }
}

async function openIfThere(path: string, flags: "r" | "r+"): Promise<fs.FileHandle | undefined> {
  try {
    return await fs.open(path, flags);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
