/** CRC-32 of a line, by which a changed bit in a journal is noticed. */
import * as zlib from "node:zlib";

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

/** For Node 20 before 20.15, whose zlib has none. */
export function crc32ByTable(data: string | Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of typeof data === "string" ? Buffer.from(data) : data) {
    value = (table[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
}

const native = (zlib as { crc32?: (data: string | Uint8Array) => number }).crc32;

export const crc32: (data: string | Uint8Array) => number = native ?? crc32ByTable;
