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
 * is gone or another file's, other hands have deleted, replaced or moved the database, and whatever is written goes with
 * the open files.
 *
 * The descriptor is our own, of the WAL only: SQLite locks the database and the -shm file, never the WAL, so
 * closing it drops no lock.
 */
import fs, { closeSync, openSync, readSync, writeSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { syncDirectory } from "../../../base/disk.ts";
import { Queue } from "../../../base/queue.ts";
import { isSidecarError, SidecarError, reasonOf, systemCodeOf } from "../../../base/errors.ts";

/** Runs work, which does not write to the database, while no process can. */
type WhileLocked = (work: () => void) => Promise<void>;

const pieceBytes = 1 << 20;

export class WalSync {
  readonly #path: string;
  #file: OpenWal | undefined;
  /** A new file survives a power cut only when its name does. */
  #isNamed = false;
  /** Commits so far, and how many of them are known to be on the disk. The schema counts as one. */
  #committed = 1;
  #synced = 0;
  readonly #queue = new Queue();
  /** The sync that waits for the one that runs. */
  #next: Promise<void> | undefined;
  /** A sync has failed: the WAL must be written again before the next one means anything. */
  #mustRewrite = false;
  readonly #whileLocked: WhileLocked;

  /** @param databasePath of a database that is open: who waited could find another one's WAL there */
  constructor(databasePath: string, whileLocked: WhileLocked) {
    this.#path = `${databasePath}-wal`;
    this.#file = openWal(this.#path);
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

  /** For what is acknowledged without a flush. Errors: `STORE_FAILED` where other hands have taken the database away. */
  assertInPlace(): void {
    const became = this.#file && whatBecame(this.#file, this.#path);
    if (became !== undefined) throw notThere(this.#path, became);
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    if (this.#file !== undefined) closeSync(this.#file.fd);
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
    const wal = (this.#file ??= openWal(this.#path));
    // There is none, and so nothing that is only there.
    if (wal === undefined) return;
    if (this.#mustRewrite) await this.#rewrite(wal.fd);
    const syncing = datasync(wal.fd);
    // While the disk is at work the look costs nobody's time.
    const look = async () => whatBecame(wal, this.#path);
    const [became] = await Promise.all([look(), syncing]);
    if (became !== undefined) throw notThere(this.#path, became);
    if (!this.#isNamed) syncDirectory(dirname(this.#path));
    this.#isNamed = true;
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

interface OpenWal {
  readonly fd: number;
  /** Which file it is: as long as it is open no other one has its number. */
  readonly dev: number;
  readonly ino: number;
}

/** The WAL as it is now; undefined when there is none. */
function openWal(path: string): OpenWal | undefined {
  try {
    const fd = openSync(path, "r+");
    const { dev, ino } = fs.fstatSync(fd);
    return { fd, dev, ino };
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Not by the handle, which has twice as much done around it: that shows in every turn. */
function datasync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

type Became = "deleted" | "moved";

/**
 * Undefined where it is in its place. Not by the thread pool, where it may take a hundred times as long as the look itself,
 * some microseconds.
 */
function whatBecame({ fd, dev, ino }: OpenWal, path: string): Became | undefined {
  const there = statOf(path);
  if (there === "unknown" || (there !== undefined && there.ino === ino && there.dev === dev))
    return undefined;
  const ours = fs.fstatSync(fd);
  if (ours.nlink === 0) return "deleted";
  // Some file systems give a file another number each time that it is looked up.
  return there?.size === ours.size && there.mtimeMs === ours.mtimeMs ? undefined : "moved";
}

function statOf(path: string): Stats | "unknown" | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch {
    // It may be in its place, where one may not look any more: what is written is kept.
    return "unknown";
  }
}

function notThere(walPath: string, became: Became): SidecarError {
  const database = walPath.slice(0, -"-wal".length);
  const why =
    became === "deleted"
      ? "was deleted or replaced while it is open: nothing that is said now is kept; restart what has it open"
      : "was moved away while it is open: what is said now goes along with it; move it back, or restart what has it open";
  return new SidecarError("STORE_FAILED", `${database} ${why}`);
}

function syncFailed(path: string, error: unknown): SidecarError {
  return new SidecarError(
    "STORE_FAILED",
    `Syncing ${path} failed (${reasonOf(error)}); check the disk; what is not safe yet is written again with the next request`,
    { cause: error },
  );
}
