/**
 * What stands in `entries.kind`: the kind's number in its lowest byte and above it a checksum of the row, because
 * SQLite has none. Rows of schema 1 have no checksum.
 */
import type { EntryKind } from "../../contract.ts";
import { crc32 } from "../../../base/crc32.ts";
import { entryKinds, kindNumbers } from "./schema.ts";

const kindLimit = 256;

export function markOf(kind: EntryKind, atMs: number, data: string): number {
  const number = kindNumbers[kind];
  return number + kindLimit * sumOf(number, atMs, data);
}

/** Of a sound row. */
export function kindIn(mark: number): EntryKind | undefined {
  return entryKinds[mark % kindLimit];
}

export function isSummed(mark: number): boolean {
  return mark >= kindLimit;
}

/** Whether columns are what an entry may hold and, where there is a checksum, what was written. */
export function isEntry(mark: unknown, atMs: unknown, data: unknown): boolean {
  // A place that was lost reads as zeros, which SQLite takes for nulls.
  if (typeof mark !== "number" || typeof atMs !== "number" || typeof data !== "string") return false;
  if (kindIn(mark) === undefined) return false;
  return !isSummed(mark) || Math.floor(mark / kindLimit) === sumOf(mark % kindLimit, atMs, data);
}

/** What is shorter is sooner put behind what comes before it than summed by itself. */
const maxJoinedChars = 4096;

/** Never 0, which stands for none. */
function sumOf(kindNumber: number, atMs: number, data: string): number {
  const before = `${kindNumber} ${atMs} `;
  return (data.length < maxJoinedChars ? crc32(before + data) : crc32(data, crc32(before))) || 1;
}
