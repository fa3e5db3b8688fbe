/** Reads a log: its files in their order as they are at one moment, line by line. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { isSidecarError, reasonOf, SidecarError, systemCodeOf } from "../base/errors.ts";
import { pause } from "../base/time.ts";
import { ProcessLock } from "../base/process-lock.ts";
import { lockFileOf, rotatedFiles } from "./places.ts";

interface Part {
  readonly fd: number;
  /** The file's name, without its folder. */
  readonly file: string;
  readonly size: number;
}

export interface RawLine {
  readonly file: string;
  /** From 1 on in each file. */
  readonly line: number;
  readonly bytes: Buffer;
  /** Whether it has an end. */
  readonly isEnded: boolean;
}

const readBytes = 1 << 16;
/** Of a longer one only so much is looked at: it is none of ours. */
const maxBytes = 16 << 20;
/** Writers hold the lock for moments; a log that we cannot lock is nobody's who writes, or read all the same. */
const lockTries = 50;
/** A log that is put aside more often meanwhile is read as it is found. */
const mostTries = 100;

/** Every line; none where there is no log. Errors: `AUDIT_FAILED`. */
export async function* linesOf(file: string): AsyncGenerator<RawLine> {
  const parts = await partsOf(file);
  try {
    for (const part of parts) yield* linesIn(part);
  } finally {
    closeAll(parts);
  }
}

/** Opened together, so that a rotation takes none away. */
async function partsOf(file: string): Promise<readonly Part[]> {
  const release = await lockIfPossible(file);
  try {
    for (let tries = 0; ; tries += 1) {
      const names = [...rotatedFiles(file), file];
      const parts = openedOf(names);
      // Without the lock one may have been put aside between two of them.
      if (release !== undefined || tries === mostTries || areAsBefore(file, names, parts)) return parts;
      closeAll(parts);
    }
  } catch (error) {
    throw new SidecarError("AUDIT_FAILED", `The audit log ${file} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  } finally {
    release?.();
  }
}

function openedOf(names: readonly string[]): readonly Part[] {
  const parts: Part[] = [];
  try {
    for (const each of names) {
      const fd = opened(each);
      if (fd !== undefined) parts.push({ fd, file: path.basename(each), size: fstatSync(fd).size });
    }
    return parts;
  } catch (error) {
    closeAll(parts);
    throw error;
  }
}

/** Whether the files are those that were opened, and the newest is the one that has the name now. */
function areAsBefore(file: string, names: readonly string[], parts: readonly Part[]): boolean {
  const now = statSync(file, { throwIfNoEntry: false })?.ino;
  const newest = parts.at(-1);
  const hasNewest = newest?.file === path.basename(file);
  const isSame = now === (hasNewest ? fstatSync(newest.fd).ino : undefined);
  return isSame && rotatedFiles(file).join("\n") === names.slice(0, -1).join("\n");
}

function closeAll(parts: readonly Part[]): void {
  for (const { fd } of parts) closeSync(fd);
}

async function lockIfPossible(file: string): Promise<(() => void) | undefined> {
  const there = opened(file);
  if (there === undefined) return undefined;
  closeSync(there);
  const lock = new ProcessLock(lockFileOf(file));
  try {
    for (let tries = 0; tries < lockTries; tries += 1) {
      const release = lock.tryTake();
      if (release === undefined) await pause(10);
      else
        return () => {
          release();
          lock.close();
        };
    }
    lock.leave();
  } catch (error) {
    // Somebody else's log, or a copy, or a full disk: it is read all the same.
    if (systemCodeOf(error) === undefined && !isSidecarError(error, "FILE_FAILED")) throw error;
  }
  lock.close();
  return undefined;
}

function opened(file: string): number | undefined {
  try {
    return openSync(file, "r");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Others have their turn between two pieces of it. */
async function* linesIn({ fd, file, size }: Part): AsyncGenerator<RawLine> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let line = 0;
  const take = (piece: Buffer) => {
    if (restBytes < maxBytes) rest.push(piece);
    restBytes += piece.length;
  };
  const ended = (isEnded: boolean): RawLine => {
    const [only = Buffer.alloc(0)] = rest;
    const bytes = rest.length > 1 ? Buffer.concat(rest) : only;
    rest = [];
    restBytes = 0;
    line += 1;
    return { file, line, bytes, isEnded };
  };
  for (let at = 0; at < size;) {
    const piece = Buffer.allocUnsafe(Math.min(readBytes, size - at));
    const count = readSync(fd, piece, 0, piece.length, at);
    if (count === 0) break;
    at += count;
    let from = 0;
    for (let end = piece.indexOf(0x0a); end >= 0 && end < count; end = piece.indexOf(0x0a, from)) {
      take(piece.subarray(from, end));
      yield ended(true);
      from = end + 1;
    }
    if (from < count) take(piece.subarray(from, count));
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (restBytes > 0) yield ended(false);
}
