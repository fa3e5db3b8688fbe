/** Folders whose files can be asked for at once, because they lie on this machine's own disks: those of a network may hang. */
import { closeSync, constants, lstatSync, openSync, readSync } from "node:fs";
import path from "node:path";

/** Linux's file systems that are its own. */
const ownKinds = new Set(["ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "f2fs"]);
/** So many folders are remembered; a look has fewer. */
const mostFolders = 10_000;
/** No system has longer ones. */
const longestPath = 4_096;

export class NearFolders {
  /** Where each leads. */
  readonly #roots: readonly (readonly [root: string, place: string])[];
  readonly #all: readonly (readonly [root: string, place: string])[];
  readonly #mounts: ReadonlyMap<string, string>;
  readonly #known = new Map<string, boolean>();

  /**
   * @param roots that answer, and where each leads
   * @param mounts what kind of file system each mounted folder has
   */
  constructor(roots: Iterable<readonly [string, string]>, mounts: ReadonlyMap<string, string> = mountsNow()) {
    this.#mounts = mounts;
    this.#all = [...roots].map(([root, place]) => [path.resolve(root), place]);
    this.#roots = this.#all.filter(([, place]) => ownKinds.has(kindOf(place, mounts) ?? ""));
  }

  /** A folder within one of the roots at whose place another machine's is mounted. */
  isElsewhere(folder: string): boolean {
    const [root, place] = this.#all.find(([each]) => isBelow(folder, each)) ?? [];
    if (root === undefined || place === undefined || this.#mounts.size === 0) return false;
    const kind = this.#mounts.get(path.join(place, path.relative(root, folder)));
    return kind !== undefined && !ownKinds.has(kind);
  }

  /** What is mounted within a root nearest above a file, where that is no disk of this machine: it may not answer. */
  mountAbove(file: string): string | undefined {
    if (file.length > longestPath || this.#mounts.size === 0) return undefined;
    for (const [root, place] of this.#all)
      for (const top of [root, place]) {
        if (!isBelow(file, top)) continue;
        for (let step = folderOf(file); isBelow(step, top); step = folderOf(step)) {
          const kind = this.#mounts.get(path.join(place, path.relative(top, step)));
          if (kind !== undefined) return ownKinds.has(kind) ? undefined : step;
        }
        return undefined;
      }
    return undefined;
  }

  /** Whether between it and its root nothing is a link, or mounted from elsewhere. */
  has(folder: string): boolean {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const is = this.#isPlain(folder);
    if (this.#known.size < mostFolders) this.#known.set(folder, is);
    return is;
  }

  #isPlain(folder: string): boolean {
    const [root, place] = this.#roots.find(([each]) => folder === each || isBelow(folder, each)) ?? [];
    if (root === undefined || place === undefined) return false;
    if (folder === root) return true;
    if (folder.length > longestPath || path.normalize(folder) !== folder) return false;
    if (this.#mounts.has(path.join(place, path.relative(root, folder)))) return false;
    return this.has(path.dirname(folder)) && isFolder(folder);
  }
}

/** By its name: what is mounted there is this machine's own. */
export function isOwn(folder: string): boolean {
  return ownKinds.has(kindOf(folder, mountsNow()) ?? "");
}

function isFolder(folder: string): boolean {
  try {
    return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** Of what is mounted nearest above it. */
function kindOf(folder: string, mounts: ReadonlyMap<string, string>): string | undefined {
  for (let step = folder; ; step = path.dirname(step)) {
    const kind = mounts.get(step);
    if (kind !== undefined || step === path.dirname(step)) return kind;
  }
}

function isBelow(folder: string, root: string): boolean {
  return folder.startsWith(root.endsWith(path.sep) ? root : root + path.sep);
}

/** Machines with more mounts have their files asked for in the other way. */
const mostBytes = 256 << 10;

/** By folder; nothing where nobody says. The system has it in memory: to read it waits for no disk. */
function mountsNow(): ReadonlyMap<string, string> {
  if (process.platform !== "linux") return new Map();
  const text = mountText();
  return text === undefined ? new Map() : mountsIn(text);
}

function mountText(): string | undefined {
  let file: number | undefined;
  try {
    file = openSync("/proc/self/mountinfo", constants.O_RDONLY);
    const pieces: Buffer[] = [];
    for (let bytes = 0; bytes < mostBytes;) {
      const piece = Buffer.allocUnsafe(16 << 10);
      const read = readSync(file, piece);
      if (read === 0) return Buffer.concat(pieces).toString("utf8");
      pieces.push(piece.subarray(0, read));
      bytes += read;
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** proc_pid_mountinfo(5). Exported for its test. */
export function mountsIn(text: string): ReadonlyMap<string, string> {
  const mounts = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [facts = "", source = ""] = line.split(" - ", 2);
    const [, , , , folder] = facts.split(" ", 5);
    const [kind = ""] = source.split(" ", 1);
    // Of several at one place the last hides the others.
    if (folder !== undefined) mounts.set(plain(folder), kind);
  }
  return mounts;
}

/** What would end a field stands in octal there, as bytes. */
function plain(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** As `path.dirname`, for what is a path; it is asked for every file of a look. */
export function folderOf(file: string): string {
  return file.slice(0, Math.max(1, file.lastIndexOf(path.sep)));
}

/** The folders of files. */
export function foldersOf(files: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of files) folders.add(folderOf(file));
  return folders;
}
