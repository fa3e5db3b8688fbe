/**
 * Makes commits survive a power cut, off the event loop.
 *
 * Commits run with `synchronous=NORMAL`: they are written to the WAL and not synced. Why syncing the WAL
 * file is enough: a commit is in the WAL until a checkpoint has copied all of it into the database, and
 * under NORMAL a checkpoint syncs the WAL before it copies and the database after, before it lets a writer
 * start the WAL over. So at every instant a commit is in the WAL, which we sync, or in a database that SQLite
 * has synced. Starting over writes (and syncs) a new header into the same file, so our descriptor stays right;
 * a recovery takes the frames that belong to the header by salt and checksum, up to the last whole commit.
 * The WAL is deleted only by the last connection to close, which cannot be another's while ours is open: where its name
 * is gone, other hands have deleted or replaced the database, and whatever is written goes with the open files.
 *
 * The descriptor is our own, of the WAL only: SQLite locks the database and the -shm file, never the WAL, so
 * closing it drops no lock.
 */
import fs, { readSync, writeSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "../../../base/disk.ts";
import { Queue } from "../../../base/queue.ts";
import { isSidecarError, SidecarError, reasonOf, systemCodeOf } from "../../../base/errors.ts";

/** Runs work, which does not write to the database, while no process can. */
type WhileLocked = (work: () => void) => Promise<void>;

const pieceBytes = 1 << 20;

export class WalSync {
  readonly #path: string;
  #file: FileHandle | undefined;
  /** Commits so far, and how many of them are known to be on the disk. The schema counts as one. */
  #committed = 1;
  #synced = 0;
  readonly #queue = new Queue();
  /** The sync that waits for the one that runs. */
  #next: Promise<void> | undefined;
  /** A sync has failed: the WAL must be written again before the next one means anything. */
  #mustRewrite = false;
  readonly #whileLocked: WhileLocked;

  constructor(databasePath: string, whileLocked: WhileLocked) {
    this.#path = `${databasePath}-wal`;
    this.#whileLocked = whileLocked;
  }

  /** To be called with every commit. */
  committed(): void {
    this.#committed += 1;
  }

  /** On return every commit before the call is on the disk. Calls during a sync share the next one. Errors: `STORE_FAILED`. */
  async flush(): Promise<void> {
    if (this.#synced >= this.#committed) return;
    if (this.#next !== undefined) return this.#next;
    const done = this.#queue.run(() => {
      this.#next = undefined;
      return this.#sync();
    });
    if (this.#queue.length > 1) this.#next = done;
    return done;
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    await this.#file?.close();
    this.#file = undefined;
  }

  async #sync(): Promise<void> {
    const committed = this.#committed;
    try {
      await this.#syncFile();
    } catch (error) {
      this.#mustRewrite = true;
      throw isSidecarError(error) ? error : syncFailed(this.#path, error);
    }
    this.#mustRewrite = false;
    this.#synced = committed;
  }

  async #syncFile(): Promise<void> {
    this.#file ??= await openWal(this.#path);
    // There is none, and so nothing that is only there.
    if (this.#file === undefined) return;
    const { fd } = this.#file;
    if (this.#mustRewrite) await this.#rewrite(fd);
    const syncing = datasync(fd);
    // While the disk is at work the look costs nobody's time.
    const [isLinked] = await Promise.all([isStillLinked(fd), syncing]);
    if (!isLinked) throw deletedWhileOpen(this.#path);
  }

  /**
   * After a failed sync the system may take what it could not write for written, and call the next sync a
   * success; what it still holds is written once more. Under the lock nobody starts the WAL over meanwhile.
   */
  #rewrite(fd: number): Promise<void> {
    return this.#whileLocked(() => {
      const piece = Buffer.allocUnsafe(pieceBytes);
      for (let at = 0, length = 0; ; at += length) {
        length = readSync(fd, piece, 0, pieceBytes, at);
        if (length === 0) return;
        for (let done = 0; done < length;) done += writeSync(fd, piece, done, length - done, at + done);
      }
    });
  }
}

/** The WAL as it is now; undefined when there is none. */
async function openWal(path: string): Promise<FileHandle | undefined> {
  const handle = await openExisting(path);
  if (handle === undefined) return undefined;
  try {
    // A new file survives a power cut only when its name does.
    syncDirectory(dirname(path));
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Not by the handle, which has twice as much done around it: that shows in every turn. */
function datasync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** At once: by the thread pool it may take a hundred times as long as the look itself, some microseconds. */
async function isStillLinked(fd: number): Promise<boolean> {
  return fs.fstatSync(fd).nlink > 0;
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function deletedWhileOpen(walPath: string): SidecarError {
  const database = walPath.slice(0, -"-wal".length);
  return new SidecarError(
    "STORE_FAILED",
    `${database} was deleted or replaced while it is open: nothing that is said now is kept; restart what has it open`,
  );
}

function syncFailed(path: string, error: unknown): SidecarError {
  return new SidecarError(
    "STORE_FAILED",
    `Syncing ${path} failed (${reasonOf(error)}); check the disk; what is not safe yet is written again with the next request`,
    { cause: error },
  );
}
