/** A text into a file: whole or not at all. It is written beside its place and put there when it is complete. */
import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { link, open, rename, rm, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { reasonOf, SidecarError, systemCodeOf } from "../../base/errors.ts";
import { syncDirectory } from "../../base/disk.ts";
import { visibleLine } from "../../base/visible.ts";

interface Saving {
  /** In the place of a file that is there. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  /** Called with the bytes written so far. */
  readonly onProgress?: (bytes: number) => Promise<void>;
}

const ownerOnly = 0o600;

/** Returns how many bytes it has. Errors: `FILE_EXISTS`, `FILE_FAILED`, the signal's reason, those of the text. */
export async function saveText(
  place: string,
  text: AsyncIterable<string>,
  { force = false, signal, onProgress }: Saving = {},
): Promise<number> {
  const beside = path.join(
    path.dirname(place),
    `.${path.basename(place).slice(0, 100)}.${randomBytes(6).toString("hex")}.part`,
  );
  try {
    checkPlace(place, force);
    const bytes = await written(beside, text, signal, onProgress);
    await putInPlace(beside, place, force);
    syncDirectory(path.dirname(place));
    return bytes;
  } catch (error) {
    await rm(beside, { force: true });
    throw failed(error, place);
  }
}

/** What is no file would be gone, and a file in its place: a device, a pipe, the `/dev/stdout` of all. */
function checkPlace(place: string, force: boolean): void {
  const there = statSync(place, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isFile())
    throw new SidecarError(
      "FILE_FAILED",
      `${visibleLine(place)} is no file, and stays as it is; name another`,
    );
  if (!force) throw thereIs(place);
}

async function written(
  beside: string,
  text: AsyncIterable<string>,
  signal?: AbortSignal,
  onProgress?: Saving["onProgress"],
): Promise<number> {
  const file = await open(beside, "wx", ownerOnly);
  try {
    let bytes = 0;
    for await (const chunk of chunksOf(text)) {
      signal?.throwIfAborted();
      await writeAll(file, chunk);
      bytes += chunk.length;
      await onProgress?.(bytes);
    }
    signal?.throwIfAborted();
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** Written at once: each write costs a way to another thread and back. */
const chunkBytes = 256 << 10;
/** Of one unit of UTF-16, at most. */
const unitBytes = 3;

/**
 * Pieces as bytes, as many together as a chunk has room for. Each is encoded by itself: joined first, one character
 * beyond Latin-1 would make all of them twice as wide. A chunk is good until the next one is asked for.
 */
async function* chunksOf(text: AsyncIterable<string>): AsyncGenerator<Buffer> {
  const room = Buffer.allocUnsafe(chunkBytes);
  let [used, half] = [0, ""];
  for await (const each of text) {
    const piece = half === "" ? each : half + each;
    // Of a character that stands in two pieces the first half waits for the second.
    half = /[\ud800-\udbff]$/.test(piece.slice(-1)) ? piece.slice(-1) : "";
    const whole = half === "" ? piece : piece.slice(0, -1);
    const most = whole.length * unitBytes;
    if (used > 0 && used + most > chunkBytes) {
      yield room.subarray(0, used);
      used = 0;
    }
    if (most > chunkBytes) yield Buffer.from(whole);
    else used += room.write(whole, used);
  }
  used += room.write(half, used);
  if (used > 0) yield room.subarray(0, used);
}

/** A disk that is nearly full takes a part of it first. */
async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let from = 0; from < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, from);
    from += bytesWritten;
  }
}

/** A link is refused where somebody else has made such a file meanwhile; not every disk has links. */
async function putInPlace(beside: string, place: string, force: boolean): Promise<void> {
  if (force) return rename(beside, place);
  try {
    await link(beside, place);
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST" || existsSync(place)) throw thereIs(place);
    return rename(beside, place);
  }
  await rm(beside, { force: true });
}

function thereIs(place: string): SidecarError {
  return new SidecarError("FILE_EXISTS", `${visibleLine(place)} is there already; --force replaces it`);
}

function failed(error: unknown, place: string): unknown {
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  const why = reasons[code] ?? reasonOf(error);
  const what = `${visibleLine(place)} could not be written, and nothing is left of it: ${why}`;
  return new SidecarError("FILE_FAILED", what, { cause: error });
}

const noFolder = "its folder is not there; make it, or name another";
const notAllowed = "its folder takes no files of yours; name another";
const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full",
  ENOENT: noFolder,
  ENOTDIR: noFolder,
  EACCES: notAllowed,
  EPERM: notAllowed,
  EROFS: notAllowed,
};
