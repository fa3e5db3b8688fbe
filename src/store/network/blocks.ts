/**
 * Entries as a server keeps them: a batch is one block, or some if it is large. To the server and the way
 * there a batch then costs hardly more than an entry. A block is a line `first count kind time length …`,
 * three words for each entry, and behind it the entries' data, one after the other; lengths are those of
 * JavaScript.
 */
import type { Entry, EntryKind, NewEntry } from "../store.ts";

export interface Block {
  /** `seq` of the first entry. */
  readonly first: number;
  readonly count: number;
  readonly text: string;
}

const blockEntries = 100;
const blockLength = 1 << 16;

/** `first` is the seq of the first entry. */
export function encodeBlocks(first: number, entries: readonly NewEntry[]): Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from < entries.length;) {
    const block = nextBlock(entries, from);
    blocks.push({ first: first + from, count: block.length, text: encodeBlock(first + from, block) });
    from += block.length;
  }
  return blocks;
}

function nextBlock(entries: readonly NewEntry[], from: number): readonly NewEntry[] {
  let length = 0;
  let through = from;
  while (through < entries.length && through < from + blockEntries && length < blockLength) {
    length += entries[through]?.data.length ?? 0;
    through += 1;
  }
  return entries.slice(from, through);
}

function encodeBlock(first: number, entries: readonly NewEntry[]): string {
  let head = `${first} ${entries.length}`;
  let data = "";
  for (const entry of entries) {
    head += ` ${entry.kind} ${entry.atMs} ${entry.data.length}`;
    data += entry.data;
  }
  return `${head}\n${data}`;
}

/** What of a block comes before entry `from`, as blocks again: none or one. */
export function cutBlock(text: string, from: number): Block[] {
  const kept = entriesIn([text], -Infinity, from - 1);
  return encodeBlocks(kept[0]?.seq ?? from, kept);
}

/** The entries `from` … `through` of blocks that follow each other. */
export function entriesIn(blocks: readonly string[], from: number, through: number): Entry[] {
  const entries: Entry[] = [];
  for (const block of blocks) decodeBlock(block, entries);
  const exact = entries[0]?.seq === from && (entries.at(-1)?.seq ?? 0) <= through;
  return exact ? entries : entries.filter(({ seq }) => seq >= from && seq <= through);
}

/** Puts the entries of a block behind those in `entries`. A loop, for this is most of the time of a long read. */
function decodeBlock(block: string, entries: Entry[]): void {
  let at = block.indexOf("\n") + 1;
  const words = block.slice(0, at - 1).split(" ");
  const first = Number(words[0]);
  const count = Number(words[1]);
  for (let index = 0, word = 2; index < count; index += 1, word += 3) {
    const end = at + Number(words[word + 2]);
    const kind = words[word] as EntryKind;
    entries.push({ seq: first + index, kind, atMs: Number(words[word + 1]), data: block.slice(at, end) });
    at = end;
  }
}
