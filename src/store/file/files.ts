/** Small acts on files that the standard library leaves to be spelled out. */
import fs from "node:fs";
import { randomUUID } from "node:crypto";
import path from "node:path";
import { syncDirectory } from "../../base/disk.ts";
import { isMissing, isReadOnly } from "./errors.ts";

const { O_RDWR, O_RDONLY, O_APPEND } = fs.constants;

/** Nobody but the user reads what a conversation holds. */
export const fileMode = 0o600;
export const directoryMode = 0o700;

export function uniqueSuffix(): string {
  return randomUUID();
}

/** Undefined when there is no such file. */
export function ifThere<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export interface Opened {
  readonly fd: number;
  /** Why it can only be read, if so. */
  readonly readOnlyBecause: Error | undefined;
}

/** Undefined when there is no such file. */
export function openToAppend(file: string): Opened | undefined {
  return ifThere(() => {
    try {
      return { fd: fs.openSync(file, O_RDWR | O_APPEND), readOnlyBecause: undefined };
    } catch (error) {
      if (!isReadOnly(error)) throw error;
      return { fd: fs.openSync(file, O_RDONLY), readOnlyBecause: error as Error };
    }
  });
}

export function writeAll(fd: number, ...parts: readonly Buffer[]): void {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  // All in one piece, because others may append at the same time.
  let written = parts.length === 1 ? 0 : fs.writevSync(fd, parts);
  if (written === length) return;
  const [only] = parts;
  const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  while (written < length) written += fs.writeSync(fd, bytes, written, length - written);
}

/** As many of `length` bytes from `offset` on as the file has. */
export function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const got = fs.readSync(fd, bytes, filled, length - filled, offset + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

/** The whole of a small file in one step: a reader finds the old or the new, never a part. */
export function replaceFile(file: string, text: string | Buffer, options: { durable?: boolean } = {}): void {
  const temporary = `${file}.${uniqueSuffix()}.tmp`;
  try {
    const fd = fs.openSync(temporary, "wx", fileMode);
    try {
      writeAll(fd, Buffer.from(text));
      if (options.durable) fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  if (options.durable) syncDirectory(path.dirname(file));
}
