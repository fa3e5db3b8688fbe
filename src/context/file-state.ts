/** What a file is at a moment, so that it can be told later whether it still is. */
import { createHash } from "node:crypto";
import { constants, lstatSync, type BigIntStats } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { systemCodeOf } from "../base/errors.ts";

/** Numbers that do not fit a double stand as texts. */
export interface FileState {
  readonly size: number;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly inode: string;
  /** Of its contents, in hex; absent where it is too large, or must not be read. */
  readonly sha256?: string;
  /** When it was looked at. */
  readonly atMs: number;
}

/** `absent`: nothing is there, or no file; `unknown`: it cannot be looked at, or has changed under the look again and again. */
export type FileLook = FileState | "absent" | "unknown";

/** Larger ones are known by size and times alone. */
export const maxHashedBytes = 8 << 20;
const pieceBytes = 256 << 10;

/**
 * A write that comes so soon after the last one may leave a file with the same times: clocks of file systems are coarse (FAT
 * counts two seconds).
 */
export const coarseMs = 2_000;

/** By its name alone, without its contents. */
export async function statAt(path: string): Promise<FileLook> {
  const atMs = Date.now();
  try {
    return stateIn(await stat(path, { bigint: true }), atMs) ?? "absent";
  } catch (error) {
    return isAbsence(error) ? "absent" : "unknown";
  }
}

/** With a hash of its contents, unless it is too large. */
export async function lookAt(path: string): Promise<FileLook> {
  const found = await statAt(path);
  // To open a pipe would wake who waits to write into it.
  if (typeof found === "string") return found;
  let file: FileHandle;
  try {
    // What has come there meanwhile may be one, and would wait for somebody who writes.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return isAbsence(error) ? "absent" : "unknown";
  }
  try {
    for (let tries = 0; tries < 3; tries += 1) {
      const before = await stateOf(file);
      if (before === undefined) return "absent";
      if (before.size > maxHashedBytes) return before;
      const sha256 = await hashOf(file, before.size);
      const after = await stateOf(file);
      if (sha256 !== undefined && after !== undefined && isSameStat(before, after))
        return { ...before, sha256 };
    }
    return "unknown";
  } catch {
    return "unknown";
  } finally {
    await file.close();
  }
}

function isAbsence(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EISDIR", "ENXIO"].includes(systemCodeOf(error) ?? "");
}

async function stateOf(file: FileHandle): Promise<FileState | undefined> {
  const atMs = Date.now();
  return stateIn(await file.stat({ bigint: true }), atMs);
}

/**
 * Whether it is what it was, by its name alone and at once: for a folder of this machine, because nothing else is done until it
 * answers. False also where that cannot be told like this, and of a link, which may lead anywhere.
 */
export function isStill(path: string, known: FileState | "absent"): boolean {
  if (known !== "absent" && isTooYoung(known)) return false;
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined || known === "absent") return found === undefined && known === "absent";
    const { size, mtimeNs, ctimeNs, inode } = known;
    return (
      Number(found.size) === size &&
      String(found.ctimeNs) === ctimeNs &&
      String(found.mtimeNs) === mtimeNs &&
      String(found.ino) === inode &&
      found.isFile()
    );
  } catch {
    return false;
  }
}

/** Undefined for what is no file. */
function stateIn(found: BigIntStats, atMs: number): FileState | undefined {
  if (!found.isFile()) return undefined;
  const { size, mtimeNs, ctimeNs, ino } = found;
  return { size: Number(size), mtimeNs: String(mtimeNs), ctimeNs: String(ctimeNs), inode: String(ino), atMs };
}

/** Undefined when it has not the size that it had. */
async function hashOf(file: FileHandle, size: number): Promise<string | undefined> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size + 1));
  let read = 0;
  while (read <= size) {
    const { bytesRead } = await file.read(piece, 0, piece.length, read);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    read += bytesRead;
  }
  return read === size ? hash.digest("hex") : undefined;
}

export function isSameStat(a: FileState, b: FileState): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.inode === b.inode;
}

/** Whether a file could have been written to after the look and have the same times. */
export function isTooYoung(state: FileState): boolean {
  const changedMs = Math.max(msOf(state.mtimeNs), msOf(state.ctimeNs));
  return state.atMs - changedMs < coarseMs;
}

/** When it was written to, or put in its place: nobody can give it another time. */
export function touchedMsOf({ ctimeNs }: FileState): number {
  return msOf(ctimeNs);
}

function msOf(ns: string): number {
  return Math.floor(Number(ns) / 1e6);
}
