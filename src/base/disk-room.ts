/** How much room a disk has. */
import { statfs } from "node:fs/promises";
import path from "node:path";
import { systemCodeOf } from "./errors.ts";

export interface DiskRoom {
  /** What we may still fill. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Of the disk that has `place`, or will have it: the nearest folder that is there is asked. Errors: the system's own. */
export async function roomAt(place: string): Promise<DiskRoom> {
  for (let each = path.resolve(place); ; each = path.dirname(each)) {
    try {
      const { bavail, blocks, bsize } = await statfs(each);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch (error) {
      const isAbsent = ["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "");
      if (!isAbsent || each === path.dirname(each)) throw error;
    }
  }
}
