/** One page of a B-tree: its rows and its children, each of them as far as it makes sense. */
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

export type Value = null | number | string;
export type Row = readonly Value[];

/** The rows on a page, those included that go on elsewhere; not those that are cut or make no sense. */
export function* rowsOn(page: Buffer, node: Node, file: PageFile): Generator<{ rowid: bigint; row: Row }> {
  for (const at of node.cells) {
    const cell = cellAt(page, at, node, file);
    const row = cell && rowIn(cell.payload);
    if (cell !== undefined && row !== undefined) yield { rowid: cell.rowid, row };
  }
}

interface Cell {
  /** Of a table's row; 0 in an index. */
  readonly rowid: bigint;
  readonly payload: Buffer;
}

/** The cell at `at`, what lies on overflow pages included; undefined when it is cut or its chain is broken. */
function cellAt(page: Buffer, at: number, node: Node, file: PageFile): Cell | undefined {
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
  const end = reader.at + (fitting <= most ? fitting : least);
  if (end + 4 > usable) return undefined;
  const begun = page.subarray(reader.at, end);
  const rest = overflow(page.readUInt32BE(end), length - begun.length, file);
  return rest && { rowid, payload: Buffer.concat([begun, ...rest]) };
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

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined unless every column is null, a safe integer or a text in UTF-8, and the bytes are used up. */
function rowIn(payload: Buffer): Row | undefined {
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

/** Integers of 1 to 9 bytes, 7 bits in each but the ninth. */
class VarintReader {
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
