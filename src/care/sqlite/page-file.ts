/**
 * A database file page by page, below SQLite: what a damaged tree no longer leads to can still be read.
 * The format: https://www.sqlite.org/fileformat.html
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const headerBytes = 100;
/** Pages that are read in one step when all are. */
const stride = 256;

export class PageFile {
  readonly #fd: number;
  readonly pageBytes: number;
  /** Bytes of a page that hold what is stored. */
  readonly usable: number;
  /** Pages that the file has, a cut one at its end included. */
  readonly count: number;
  /** From one page that tells where others belong to the next; 0 in a file that has none (it is not vacuumed in steps). */
  readonly #mapEach: number;

  /**
   * To be closed after every connection to the same file: closing a descriptor drops all locks that this
   * process has on it.
   */
  constructor(path: string) {
    this.#fd = openSync(path, "r");
    const header = Buffer.alloc(headerBytes);
    readSync(this.#fd, header, 0, headerBytes, 0);
    const size = header.readUInt16BE(16);
    this.pageBytes = size === 1 ? 65536 : Math.max(size, 512);
    this.usable = this.pageBytes - header.readUInt8(20);
    this.#mapEach = header.readUInt32BE(52) === 0 ? 0 : Math.floor(this.usable / 5) + 1;
    this.count = Math.ceil(fstatSync(this.#fd).size / this.pageBytes);
  }

  /** Its bytes; zeros where the file ends before the page does. Undefined when there is no such page. */
  page(no: number): Buffer | undefined {
    return no < 1 || no > this.count ? undefined : this.#read(no, 1);
  }

  /** Every page of trees with its number, in the order of the file. Valid until the next one is asked for. */
  *pages(): Generator<readonly [number, Buffer]> {
    for (let first = 1; first <= this.count; first += stride) {
      const bytes = this.#read(first, Math.min(stride, this.count - first + 1));
      for (let at = 0; at < bytes.length; at += this.pageBytes) {
        const no = first + at / this.pageBytes;
        if (!this.#isMap(no)) yield [no, bytes.subarray(at, at + this.pageBytes)];
      }
    }
  }

  /** Numbers of the pages that hold nothing, and whether the list of them is whole. */
  free(): { readonly pages: ReadonlySet<number>; readonly isWhole: boolean } {
    const pages = new Set<number>();
    const first = this.page(1);
    const expected = first?.readUInt32BE(36) ?? 0;
    for (let trunk = first?.readUInt32BE(32) ?? 0; trunk !== 0;) {
      const page = this.page(trunk);
      const listed = page?.readUInt32BE(4) ?? Infinity;
      if (page === undefined || pages.has(trunk) || listed > this.usable / 4 - 2) break;
      pages.add(trunk);
      for (let i = 0; i < listed; i += 1) pages.add(page.readUInt32BE(8 + 4 * i));
      trunk = page.readUInt32BE(0);
    }
    return { pages, isWhole: pages.size === expected };
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** It may look like a page of a tree. */
  #isMap(no: number): boolean {
    return this.#mapEach > 0 && no >= 2 && (no - 2) % this.#mapEach === 0;
  }

  #read(first: number, pages: number): Buffer {
    const bytes = Buffer.alloc(pages * this.pageBytes);
    for (let filled = 0; filled < bytes.length;) {
      const at = (first - 1) * this.pageBytes + filled;
      const got = readSync(this.#fd, bytes, filled, bytes.length - filled, at);
      if (got === 0) break;
      filled += got;
    }
    return bytes;
  }
}
