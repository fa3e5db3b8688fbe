/** Brings what was written to the medium: calls that come together share one round of syncs. */
import fs from "node:fs/promises";
import { isMissing, storeError } from "./fs-errors.ts";
import type { SessionFile } from "./session-file.ts";

const atOnce = 8;

export class Syncer {
  readonly #root: string;
  #files = new Set<SessionFile>();
  #directories = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #failure: unknown;

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
   * On return all that was noted before the call survives a power cut. After a sync has failed, every later
   * one does too: the system may have dropped what it could not write, and would not say so again.
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
    if (this.#failure !== undefined) throw this.#failure as Error;
    const written = [...this.#files].map((file) => ({ file, path: file.path, place: file.written }));
    // Files before the directories that name them.
    const rounds = [written.map(({ path }) => path), [...this.#directories]];
    this.#files = new Set();
    this.#directories = new Set();
    try {
      for (const round of rounds) await syncAll(round);
      for (const { file, place } of written) file.noteSafe(place);
    } catch (error) {
      this.#failure = storeError(error, this.#root);
      throw this.#failure;
    }
  }
}

async function syncAll(paths: readonly string[]): Promise<void> {
  const queue = paths[Symbol.iterator]();
  const worker = async () => {
    for (const each of queue) await sync(each);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, paths.length) }, worker));
}

/** What has gone meanwhile was deleted, or went on in a file that was synced before it was used. */
async function sync(path: string): Promise<void> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(path, "r");
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
