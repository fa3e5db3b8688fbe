/** Bytes of a journal and the lines in them. */
import { parseLine, type EntryLine, type OpLine } from "./line.ts";

export const lineBreak = 10;

/** What `bytes`, which begin at `base` of the file, hold as far as they go. */
export interface Piece {
  readonly bytes: Buffer;
  readonly base: number;
  /** The file ends where the bytes end. */
  readonly last: boolean;
}

export interface Line {
  /** Undefined when it is not sound. */
  readonly parsed: EntryLine | OpLine | undefined;
  readonly end: number;
}

/** Undefined when the bytes end within the line. */
export function lineAt({ bytes, last }: Piece, at: number): Line | undefined {
  const end = bytes.indexOf(lineBreak, at);
  if (end >= 0) return { parsed: parseLine(bytes.subarray(at, end)), end: end + 1 };
  // Whoever writes next ends the line, so it counts already if nothing but its break is missing.
  const parsed = last ? parseLine(bytes.subarray(at)) : undefined;
  return parsed && { parsed, end: bytes.length };
}
