/** CRC-32, by which a changed bit in what was stored is noticed. */
import * as zlib from "node:zlib";

/** @param value the checksum of what stands before `data` */
type Crc32 = (data: string | Uint8Array, value?: number) => number;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

/** For Node 20 before 20.15, whose zlib has none. */
export const crc32ByTable: Crc32 = (data, before = 0) => {
  let value = before ^ 0xffffffff;
  for (const byte of typeof data === "string" ? Buffer.from(data) : data) {
    value = (table[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
};

const native = (zlib as { crc32?: Crc32 }).crc32 ?? crc32ByTable;

/** In characters. */
const pieceChars = 1 << 18;

/** A long text goes piece by piece, because a copy is made of what is summed. */
export const crc32: Crc32 = (data, before = 0) => {
  if (typeof data !== "string" || data.length <= pieceChars) return native(data, before);
  let sum = before;
  for (let at = 0; at < data.length;) {
    const end = at + pieceChars;
    // Both halves of a character go together.
    const next = isHighSurrogate(data.charCodeAt(end - 1)) ? end + 1 : end;
    sum = native(data.slice(at, next), sum);
    at = next;
  }
  return sum;
};

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
