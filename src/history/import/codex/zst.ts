/** The bytes that a file holds in compressed form (Zstandard). Node 20 cannot do that itself. */
import { bytesOf } from "../lines.ts";
import { SidecarError } from "../../../base/errors.ts";

/** A piece this small cannot become too much at once, unless somebody means it to. */
const pieceBytes = 16 << 10;
const mostAtOnce = 64 << 20;

interface Decompressor {
  push(piece: Uint8Array, isLast?: boolean): void;
}
interface Library {
  readonly Decompress: new (take: (piece: Uint8Array) => void) => Decompressor;
}

export async function* unpacked(path: string): AsyncGenerator<Uint8Array> {
  const { Decompress } = await library();
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  const decompressor = new Decompress((piece) => {
    bytes += piece.length;
    if (bytes > mostAtOnce) throw new Error("it becomes too large when it is unpacked");
    pieces.push(piece);
  });
  for await (const read of bytesOf(path)) {
    for (let at = 0; at < read.length; at += pieceBytes) {
      decompressor.push(read.subarray(at, at + pieceBytes));
      yield* pieces;
      [pieces, bytes] = [[], 0];
    }
  }
  // Where it is cut off, it says so.
  decompressor.push(new Uint8Array(0), true);
  yield* pieces;
}

async function library(): Promise<Library> {
  try {
    return await import("fzstd");
  } catch {
    throw new SidecarError(
      "INTERNAL",
      "Compressed histories need the package fzstd, which is not in this build",
    );
  }
}
