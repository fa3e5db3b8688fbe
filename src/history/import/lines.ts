/** Files of lines, read as they stand: in pieces, with no more in memory than a piece and a line. */
import { createReadStream } from "node:fs";
import type { Report } from "./native.ts";

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** It has no line break behind it yet: somebody may be writing it. */
  readonly isOpen: boolean;
}

/** What is longer is no line of a conversation, and is not held. */
export const maxLineBytes = 32 << 20;
const chunkBytes = 128 << 10;

/** The bytes of a file. Errors: the system's own. */
export function bytesOf(path: string, start = 0): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: chunkBytes, start });
}

/** Lines, as many at once as a piece has; with how many bytes of the file they are. Blank ones are left out. */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  path: string,
  report: Report,
  maxBytes = maxLineBytes,
): AsyncGenerator<{ readonly lines: readonly Line[]; readonly bytes: number }> {
  const cutter = new Cutter(path, report, maxBytes);
  for await (const piece of pieces) {
    const lines = cutter.cut(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    yield { lines, bytes: piece.byteLength };
  }
  const rest = cutter.rest();
  if (rest !== undefined) yield { lines: [rest], bytes: 0 };
}

class Cutter {
  readonly #path: string;
  readonly #report: Report;
  readonly #maxBytes: number;
  #number = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isTooLong = false;

  constructor(path: string, report: Report, maxBytes: number) {
    this.#path = path;
    this.#report = report;
    this.#maxBytes = maxBytes;
  }

  cut(piece: Buffer): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let to = piece.indexOf(10); to >= 0; to = piece.indexOf(10, from)) {
      this.#hold(piece.subarray(from, to));
      this.#finish(lines, false);
      from = to + 1;
    }
    this.#hold(piece.subarray(from));
    // A piece is kept alive by what is held of it, and may be large.
    if (this.#held.length > 0) this.#held[this.#held.length - 1] = Buffer.from(this.#held.at(-1) as Buffer);
    return lines;
  }

  rest(): Line | undefined {
    const lines: Line[] = [];
    if (this.#heldBytes > 0) this.#finish(lines, true);
    return lines[0];
  }

  #hold(part: Buffer): void {
    if (part.length === 0) return;
    this.#heldBytes += part.length;
    if (this.#heldBytes > this.#maxBytes) [this.#isTooLong, this.#held] = [true, []];
    else this.#held.push(part);
  }

  #finish(lines: Line[], isOpen: boolean): void {
    this.#number += 1;
    const number = this.#number;
    if (this.#isTooLong)
      this.#report({ path: this.#path, line: number, reason: `is longer than ${this.#maxBytes} bytes` });
    else {
      const [only] = this.#held;
      const whole = this.#held.length === 1 && only !== undefined ? only : Buffer.concat(this.#held);
      const text = whole.toString("utf8");
      if (text.trim() !== "") lines.push({ number, text, isOpen });
    }
    [this.#held, this.#heldBytes, this.#isTooLong] = [[], 0, false];
  }
}
