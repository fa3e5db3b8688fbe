/** Compressed files of final entries: the same lines as in a journal, without what concerns leases. */
import fs from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { systemCodeOf } from "../../base/errors.ts";
import { fileMode, uniqueSuffix } from "./files.ts";
import { lineBreak, type Segment } from "./line.ts";

const digits = 8;

export function segmentName(from: number, through: number): string {
  return `${String(from).padStart(digits, "0")}-${String(through).padStart(digits, "0")}.jsonl.gz`;
}

/** Writes a segment that a power cut cannot take away again; it counts once a journal names it. */
export async function writeSegment(
  directory: string,
  { from, through, file = segmentName(from, through) }: Omit<Segment, "bytes" | "file"> & { file?: string },
  groups: AsyncIterable<readonly (Buffer | string)[]>,
): Promise<Segment> {
  const temporary = path.join(directory, `${file}.${uniqueSuffix()}.tmp`);
  try {
    await pipeline(
      piecesOf(groups),
      createGzip(),
      fs.createWriteStream(temporary, { flags: "wx", mode: fileMode }),
    );
    // To be written: Windows syncs nothing that is open for reading.
    const handle = await fs.promises.open(temporary, "r+");
    let bytes: number;
    try {
      await handle.sync();
      bytes = (await handle.stat()).size;
    } finally {
      await handle.close();
    }
    await fs.promises.rename(temporary, path.join(directory, file));
    return { file, from, through, bytes };
  } catch (error) {
    await fs.promises.rm(temporary, { force: true });
    throw error;
  }
}

/** Lines that go together, and large ones, which lack their line break, each by itself. */
async function* piecesOf(
  groups: AsyncIterable<readonly (Buffer | string)[]>,
): AsyncGenerator<Buffer | string> {
  for await (const lines of groups) {
    let small: string[] = [];
    for (const line of lines) {
      if (typeof line === "string") small.push(line);
      else {
        yield small.join("");
        yield line;
        small = ["\n"];
      }
    }
    yield small.join("");
  }
}

/** The lines of the segment open as `fd`, which it closes, without their breaks, in groups as they are unpacked. */
export async function* readSegment(fd: number): AsyncGenerator<Buffer[]> {
  const source = fs.createReadStream("", { fd, highWaterMark: 64 * 1024 });
  const unpacked = createGunzip({ chunkSize: 128 * 1024 });
  source.on("error", (error) => unpacked.destroy(error));
  let rest: Buffer[] = [];
  try {
    for await (const chunk of source.pipe(unpacked) as AsyncIterable<Buffer>) {
      const end = chunk.lastIndexOf(lineBreak);
      if (end < 0) {
        rest.push(chunk);
        continue;
      }
      const whole = Buffer.concat([...rest, chunk.subarray(0, end)]);
      rest = [chunk.subarray(end + 1)];
      yield splitLines(whole);
    }
    const last = Buffer.concat(rest);
    if (last.length > 0) yield [last];
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

/** Whether what was read is not what was packed; else reading failed. */
export function isUnpackingError(error: unknown): boolean {
  return systemCodeOf(error)?.startsWith("Z_") === true;
}

export function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(lineBreak, at);
    const stop = end < 0 ? bytes.length : end;
    lines.push(bytes.subarray(at, stop));
    at = stop + 1;
  }
  return lines;
}
