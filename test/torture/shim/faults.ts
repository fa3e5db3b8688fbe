/** The page by which a running program's calls are made to fail: shim.c looks at it before each call. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { constants } from "node:os";

const kinds = ["write", "sync", "read", "create"] as const;
export type CallKind = (typeof kinds)[number];
const pageBytes = 4096;
const hitsAt = 16;

export class FaultPage {
  readonly path: string;
  readonly #fd: number;

  /** @param flags `r+` for a page that is in use */
  constructor(path: string, flags: "w+" | "r+" = "w+") {
    this.path = path;
    this.#fd = openSync(path, flags);
    if (flags === "w+") writeSync(this.#fd, Buffer.alloc(pageBytes));
  }

  /** From now on such calls fail, until `clear`. */
  set(error: keyof typeof constants.errno, ...calls: readonly CallKind[]): void {
    const bytes = Buffer.from(kinds.map((kind) => (calls.includes(kind) ? constants.errno[error] : 0)));
    writeSync(this.#fd, bytes, 0, bytes.length, 0);
  }

  clear(): void {
    writeSync(this.#fd, Buffer.alloc(kinds.length), 0, kinds.length, 0);
  }

  /** Calls that have failed so far. */
  get hits(): number {
    const counts = Buffer.alloc(4 * kinds.length);
    readSync(this.#fd, counts, 0, counts.length, hitsAt);
    return kinds.reduce((sum, _, at) => sum + counts.readUInt32LE(4 * at), 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
