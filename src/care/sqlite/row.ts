/** A row out of the bytes of a cell, if they are one. */
import { VarintReader } from "./node.ts";

export type Value = null | number | string;
export type Row = readonly Value[];

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined unless every column is null, a safe integer or a text in UTF-8, and the bytes are used up. */
export function rowIn(payload: Buffer): Row | undefined {
  const header = new VarintReader(payload, 0, payload.length);
  const end = Number(header.next());
  if (header.failed || end > payload.length) return undefined;
  const row: Value[] = [];
  let at = end;
  while (header.at < end) {
    const type = Number(header.next());
    const length = lengthOf(type);
    if (header.failed || header.at > end || length === undefined || at + length > payload.length)
      return undefined;
    const value = valueIn(payload.subarray(at, at + length), type);
    if (value === undefined) return undefined;
    row.push(value);
    at += length;
  }
  return at === payload.length ? row : undefined;
}

/** Bytes of a value by its serial type; our tables hold neither reals nor blobs. */
function lengthOf(type: number): number | undefined {
  if (type >= 13 && type % 2 === 1) return (type - 13) / 2;
  if (type <= 6) return [0, 1, 2, 3, 4, 6, 8][type];
  return type === 8 || type === 9 ? 0 : undefined;
}

function valueIn(bytes: Buffer, type: number): Value | undefined {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type >= 13) return textIn(bytes);
  const value = bytes.length === 8 ? Number(bytes.readBigInt64BE()) : bytes.readIntBE(0, bytes.length);
  return Number.isSafeInteger(value) ? value : undefined;
}

function textIn(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
