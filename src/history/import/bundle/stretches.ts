/**
 * The lines of a bundle by stretches, each with the hash of what stands in it. A bundle is read several times, and may be
 * written over meanwhile: a stretch whose hash is another one than at first is not what was checked.
 */
import { createHash } from "node:crypto";
import { SidecarError } from "../../../base/errors.ts";
import { bytesOf, linesOf } from "../lines.ts";

/** Of about so many characters. */
const stretchChars = 1 << 20;
/** An entry has 64 MiB at most; as a text in JSON it may have six times as much. */
const maxLineBytes = 400 << 20;

export interface Stretch {
  readonly lines: readonly string[];
  /** How much was read since the stretch before. */
  readonly bytes: number;
  readonly sum: string;
}

/** Errors: `BUNDLE_INVALID` for a line that is too long; the system's own. */
export async function* stretchesOf(path: string): AsyncGenerator<Stretch> {
  let lines: string[] = [];
  let [chars, read] = [0, 0];
  let hash = createHash("sha256");
  for await (const { lines: more, bytes } of linesOf(bytesOf(path), path, tooLong, maxLineBytes)) {
    read += bytes;
    for (const { text } of more) {
      lines.push(text);
      hash.update(text).update("\n");
      chars += text.length;
    }
    if (chars < stretchChars) continue;
    yield { lines, bytes: read, sum: hash.digest("base64") };
    [lines, chars, read, hash] = [[], 0, 0, createHash("sha256")];
  }
  yield { lines, bytes: read, sum: hash.digest("base64") };
}

/** As it was when these were its sums. Errors: `BUNDLE_INVALID`, and nothing is given of a stretch that was changed. */
export async function* sameStretchesOf(path: string, sums: readonly string[]): AsyncGenerator<Stretch> {
  let at = 0;
  for await (const stretch of stretchesOf(path)) {
    if (sums[at++] !== stretch.sum) throw changed();
    yield stretch;
  }
  if (at !== sums.length) throw changed();
}

function changed(): SidecarError {
  return new SidecarError("BUNDLE_INVALID", "The bundle was changed while it was read; import it again");
}

function tooLong(): never {
  throw new SidecarError("BUNDLE_INVALID", "The bundle has a line that is too long; export it again");
}
