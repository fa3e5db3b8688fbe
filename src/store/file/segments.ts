/** Compressed files of final entries: the same lines as in a journal, without what concerns leases. */
import fs from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { fileMode, uniqueSuffix } from "./files.ts";
import type { Segment } from "./line.ts";

const digits = 8;

export function segmentName(from: number, through: number): string {
  return `${String(from).padStart(digits, "0")}-${String(through).padStart(digits, "0")}.jsonl.gz`;
}

/** Writes a segment that a power cut cannot take away again; it counts once a journal names it. */
export async function writeSegment(
  directory: string,
  { from, through, file = segmentName(from, through) }: Omit<Segment, "bytes" | "file"> & { file?: string },
  lines: AsyncIterable<Buffer>,
): Promise<Segment> {
  const temporary = path.join(directory, `${file}.${uniqueSuffix()}.tmp`);
  try {
    await pipeline(lines, createGzip(), fs.createWriteStream(temporary, { flags: "wx", mode: fileMode }));
    const handle = await fs.promises.open(temporary, "r");
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

/** The lines of a segment, without their breaks, in groups as they are unpacked. */
export async function* readSegment(directory: string, { file }: Segment): AsyncGenerator<Buffer[]> {
  const source = fs.createReadStream(path.join(directory, file), { highWaterMark: 64 * 1024 });
  const unpacked = createGunzip({ chunkSize: 128 * 1024 });
  source.on("error", (error) => unpacked.destroy(error));
  let rest: Buffer[] = [];
  try {
    for await (const chunk of source.pipe(unpacked) as AsyncIterable<Buffer>) {
      const end = chunk.lastIndexOf(10);
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

export function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(10, at);
    const stop = end < 0 ? bytes.length : end;
    lines.push(bytes.subarray(at, stop));
    at = stop + 1;
  }
  return lines;
}
