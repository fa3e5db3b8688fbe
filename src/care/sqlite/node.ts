/** One page of a B-tree: its cells and its children, each of them as far as it makes sense. */
import type { PageFile } from "./page-file.ts";

export interface Node {
  readonly kind: "table" | "index";
  readonly isLeaf: boolean;
  /** Where cells begin on the page. */
  readonly cells: readonly number[];
  /** Numbers of pages; none below a leaf. */
  readonly children: readonly number[];
  /** Nothing on it contradicts the format. */
  readonly isSound: boolean;
}

const kinds: Readonly<Record<number, Pick<Node, "kind" | "isLeaf">>> = {
  0x02: { kind: "index", isLeaf: false },
  0x05: { kind: "table", isLeaf: false },
  0x0a: { kind: "index", isLeaf: true },
  0x0d: { kind: "table", isLeaf: true },
};

/** Undefined for a page that is none of a tree, or no longer looks like one. */
export function nodeOn(page: Buffer, no: number, file: PageFile): Node | undefined {
  // The first page begins with the file's header.
  const at = no === 1 ? 100 : 0;
  const type = kinds[page.readUInt8(at)];
  if (type === undefined) return undefined;
  const listAt = at + (type.isLeaf ? 8 : 12);
  const count = page.readUInt16BE(at + 3);
  const listEnd = listAt + 2 * count;
  if (listEnd > file.usable) return undefined;
  const cells: number[] = [];
  for (let each = listAt; each < listEnd; each += 2) {
    const cell = page.readUInt16BE(each);
    if (cell >= listEnd && cell + 4 <= file.usable) cells.push(cell);
  }
  const children = type.isLeaf
    ? []
    : [...cells.map((cell) => page.readUInt32BE(cell)), page.readUInt32BE(at + 8)];
  const areThere = children.every((child) => child > 1 && child <= file.count);
  return { ...type, cells, children, isSound: cells.length === count && areThere };
}

export interface Cell {
  /** Of a table's row; 0 in an index. */
  readonly rowid: bigint;
  readonly payload: Buffer;
}

/** The cell at `at`, what lies on overflow pages included; undefined when it is cut or its chain is broken. */
export function cellAt(page: Buffer, at: number, node: Node, file: PageFile): Cell | undefined {
  const reader = new VarintReader(page, at + (node.isLeaf ? 0 : 4), file.usable);
  const length = Number(reader.next());
  const rowid = node.kind === "table" ? reader.next() : 0n;
  const { usable } = file;
  const most = node.kind === "table" ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (reader.failed || length > maxPayload) return undefined;
  if (length <= most) {
    const end = reader.at + length;
    return end > usable ? undefined : { rowid, payload: page.subarray(reader.at, end) };
  }
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (usable - 4));
  const local = fitting <= most ? fitting : least;
  const end = reader.at + local;
  if (end + 4 > usable) return undefined;
  const rest = overflow(page.readUInt32BE(end), length - local, file);
  return rest && { rowid, payload: Buffer.concat([page.subarray(reader.at, end), ...rest]) };
}

/** Far beyond what an entry may be; a damaged length must not fill the memory. */
const maxPayload = 1 << 30;

function overflow(first: number, length: number, file: PageFile): Buffer[] | undefined {
  if (length > file.count * file.usable) return undefined;
  const parts: Buffer[] = [];
  const piece = file.usable - 4;
  let no = first;
  for (let left = length; left > 0; left -= piece) {
    const page = no > 1 ? file.page(no) : undefined;
    if (page === undefined) return undefined;
    parts.push(page.subarray(4, 4 + Math.min(left, piece)));
    no = page.readUInt32BE(0);
  }
  // The last page of a chain says so: one that does not was overwritten.
  return no === 0 ? parts : undefined;
}

/** Integers of 1 to 9 bytes, 7 bits in each but the ninth. */
export class VarintReader {
  at: number;
  /** Went beyond the end. */
  failed = false;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  next(): bigint {
    let value = 0n;
    for (let i = 0; i < 9; i += 1) {
      if (this.at >= this.#end) {
        this.failed = true;
        return 0n;
      }
      const byte = this.#bytes.readUInt8(this.at);
      this.at += 1;
      if (i === 8) return BigInt.asIntN(64, (value << 8n) | BigInt(byte));
      value = (value << 7n) | BigInt(byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return value;
  }
}
