/** Log files are kept small: what is written there is put aside, and only the newest of that stays. */
import fs from "node:fs/promises";
import { systemCodeOf } from "../base/errors.ts";

/** A larger one is put aside. */
const mostBytes = 16 << 20;
const keep = 3;

/**
 * Copied and made empty, because other processes go on writing to it; of what they write in that moment a line may be lost.
 * Returns the bytes that were put aside. Errors: the system's own.
 */
export async function rotateLog(file: string, most = mostBytes): Promise<number> {
  const size = await sizeOf(file);
  if (size <= most) return 0;
  for (let at = keep - 1; at >= 1; at -= 1) await moved(`${file}.${at}`, `${file}.${at + 1}`);
  await fs.copyFile(file, `${file}.1`);
  await fs.chmod(`${file}.1`, 0o600);
  await fs.truncate(file, 0);
  return size;
}

async function sizeOf(file: string): Promise<number> {
  try {
    const about = await fs.stat(file);
    // A pipe or terminal keeps nothing.
    return about.isFile() ? about.size : 0;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return 0;
    throw error;
  }
}

async function moved(from: string, to: string): Promise<void> {
  try {
    await fs.rename(from, to);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
  }
}
