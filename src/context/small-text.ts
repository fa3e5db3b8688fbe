/** Small texts of a project that somebody else made: no pipe is waited for, no device read, and no more than wanted. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { open, stat } from "node:fs/promises";

/** A pipe would wait for somebody who writes. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Undefined where there is no file, or a larger one. */
export async function smallTextOf(path: string, mostBytes: number): Promise<string | undefined> {
  try {
    // To open a pipe would wake who waits to write into it.
    plainFile(await stat(path));
    const file = await open(path, flags);
    try {
      const { size } = await file.stat().then(plainFile);
      if (size > mostBytes) return undefined;
      const bytes = Buffer.alloc(size);
      const { bytesRead } = await file.read(bytes, 0, size, 0);
      return bytes.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

/** The same at once, of a folder of this machine; no link is followed. */
export function smallTextAt(path: string, mostBytes: number): string | undefined {
  let file: number | undefined;
  try {
    plainFile(lstatSync(path));
    file = openSync(path, flags | (constants.O_NOFOLLOW ?? 0));
    const { size } = plainFile(fstatSync(file));
    if (size > mostBytes) return undefined;
    const bytes = Buffer.alloc(size);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, size, 0));
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

interface Facts {
  readonly size: number;
  isFile(): boolean;
}

function plainFile<T extends Facts>(facts: T): T {
  if (!facts.isFile()) throw new Error("no plain file");
  return facts;
}
