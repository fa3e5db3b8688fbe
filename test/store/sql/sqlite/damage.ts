/** Real damage: pages of a database file overwritten, found by what lies on them. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { loadEngine } from "../../../../src/sqlite/engines.ts";

export const pageBytes = 4096;

const engine = await loadEngine();

/** Numbers of the pages of a table or index, in the order of their keys. `kind` as in SQLite's `dbstat`. */
export function pagesOf(path: string, name: string, kind: "leaf" | "internal" | "overflow"): number[] {
  const db = engine.open(path);
  try {
    db.pragma("wal_checkpoint(TRUNCATE)");
    return db
      .prepare<[string, string], number>(
        "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path",
      )
      .pluck()
      .all(name, kind);
  } finally {
    db.close();
  }
}

/**
 * Overwrites a page but for its first `kept` bytes: with `byte` throughout, or with bytes that mean nothing, the
 * same ones each time.
 */
export function overwrite(path: string, pageNo: number, kept = 0, byte?: number): void {
  const garbage = Buffer.alloc(pageBytes);
  for (let at = 0, state = pageNo; at < pageBytes; at += 1) {
    state = (state * 1103515245 + 12345) % 2147483648;
    garbage[at] = byte ?? state >> 16;
  }
  writeAt(path, (pageNo - 1) * pageBytes + kept, garbage.subarray(kept));
}

/** Changes a text wherever it lies in the file, as a flipped bit would. Returns how often. */
export function replaceBytes(path: string, from: string, to: string): number {
  const file = openSync(path, "r");
  const bytes = Buffer.alloc(1 << 24);
  const size = readSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
  let found = 0;
  for (let at = bytes.indexOf(from); at !== -1 && at < size; at = bytes.indexOf(from, at + 1)) {
    writeAt(path, at, Buffer.from(to));
    found += 1;
  }
  return found;
}

function writeAt(path: string, offset: number, bytes: Buffer): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(file);
  }
}
