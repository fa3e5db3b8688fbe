/** Where a file of the log ends: its last sound line, and what a killed process left behind it. */
import { closeSync, openSync, readSync, fstatSync } from "node:fs";
import { hashOf, lineOf, maxLineBytes, type Link } from "./line.ts";

export interface Tail {
  /** Undefined in a file without one. */
  readonly last: Link | undefined;
  /** The file ends within a line. */
  readonly isOpen: boolean;
  /** A line that was begun and never ended; absent where the open one is whole but for its end. */
  readonly torn?: { readonly bytes: number; readonly hash: string };
}

const newline = 0x0a;

/** @param size what is there of the file */
export function tailOf(fd: number, size: number): Tail {
  for (let room = 8 << 10; ; room *= 16) {
    const from = Math.max(0, size - room);
    const bytes = readPart(fd, from, size - from);
    const tail = tailIn(bytes, from === 0);
    if (tail !== undefined) return tail;
  }
}

export function tailOfFile(file: string): Tail {
  const fd = openSync(file, "r");
  try {
    return tailOf(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

/** Undefined where more is to be read. */
function tailIn(bytes: Buffer, isAll: boolean): Tail | undefined {
  const endsAt = bytes.lastIndexOf(newline) + 1;
  const rest = bytes.subarray(endsAt);
  const whole = lineOf(rest);
  if (whole !== undefined) return { last: whole, isOpen: true };
  const last = lastLineIn(bytes.subarray(0, endsAt), isAll);
  if (last === undefined && !isAll) return undefined;
  if (rest.length === 0) return { last, isOpen: false };
  // What is more than a part of a line was not torn off: it is left to who verifies.
  const isMore = startsWithLine(rest);
  return { last, isOpen: true, ...(!isMore && { torn: { bytes: rest.length, hash: hashOf(rest) } }) };
}

function lastLineIn(bytes: Buffer, isAll: boolean): Link | undefined {
  let end = bytes.length - 1;
  while (end > 0) {
    const begin = bytes.lastIndexOf(newline, end - 1) + 1;
    // The first one may be cut off.
    if (begin === 0 && !isAll) return undefined;
    const line = lineOf(bytes.subarray(begin, end));
    if (line !== undefined) return line;
    end = begin - 1;
  }
  return undefined;
}

/** Whether it begins with a whole line. */
export function startsWithLine(bytes: Buffer): boolean {
  for (let at = bytes.indexOf('"}'); at >= 0; at = bytes.indexOf('"}', at + 1))
    if (at + 2 < bytes.length && at + 2 <= maxLineBytes && lineOf(bytes.subarray(0, at + 2)) !== undefined)
      return true;
  return false;
}

function readPart(fd: number, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, bytes, filled, length - filled, from + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}
