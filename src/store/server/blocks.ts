/**
 * Entries as a server keeps them: a batch is one block, or some if it is large. To the server and the way
 * there a batch then costs hardly more than an entry. A block is a line `first count kind time length …`,
 * three words for each entry, and behind it the entries' data, one after the other; lengths are those of
 * JavaScript.
 */
import type { Entry, EntryKind, NewEntry } from "../contract.ts";

export interface Block {
  /** `seq` of the first entry. */
  readonly first: number;
  readonly count: number;
  readonly text: string;
}

const [space, zero] = [32, 48];
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

/** The entries of a block from `from` on, as blocks again. */
export function restOfBlock(text: string, from: number): Block[] {
  return encodeBlocks(from, entriesIn([text], from, Infinity));
}

/** The entries `from` … `through` of blocks that follow each other. */
export function entriesIn(blocks: readonly string[], from: number, through: number): Entry[] {
  const entries: Entry[] = [];
  for (const block of blocks) decodeBlock(block, entries);
  const exact = entries[0]?.seq === from && (entries.at(-1)?.seq ?? 0) <= through;
  return exact ? entries : entries.filter(({ seq }) => seq >= from && seq <= through);
}

/** `seq` of the first entry of a block. */
export function firstOf(block: string): number {
  return numberAt(block, 0);
}

/** `seq` of the last entry of a block. */
export function lastOf(block: string): number {
  const second = block.indexOf(" ") + 1;
  return firstOf(block) + numberAt(block, second) - 1;
}

/**
 * Puts the entries of a block behind those in `entries`: most of the time of a long read. Its head is gone through
 * letter by letter, because words that are cut out of it and made numbers cost three times as much.
 */
function decodeBlock(block: string, entries: Entry[]): void {
  const head = block.indexOf("\n");
  const first = firstOf(block);
  let word = block.indexOf(" ") + 1;
  const end = first + numberAt(block, word);
  word = block.indexOf(" ", word) + 1;
  let [kind, at] = ["", head + 1];
  for (let seq = first; seq < end && word < head; seq += 1) {
    if (block.charCodeAt(word + kind.length) !== space || !block.startsWith(kind, word)) {
      kind = wordAt(block, word, head);
    }
    word += kind.length + 1;
    const begins = word;
    let [atMs, length, code] = [0, 0, 0];
    while ((code = block.charCodeAt(word++)) >= zero) atMs = atMs * 10 + code - zero;
    if (code !== space) {
      // A fraction or a sign, which no clock of ours gives.
      const given = wordAt(block, begins, head);
      [atMs, word] = [Number(given), begins + given.length + 1];
    }
    while ((code = block.charCodeAt(word++)) >= zero) length = length * 10 + code - zero;
    entries.push({ seq, kind: kind as EntryKind, atMs, data: block.slice(at, (at += length)) });
  }
}

function wordAt(text: string, at: number, head: number): string {
  const end = text.indexOf(" ", at);
  return text.slice(at, end < 0 ? head : Math.min(end, head));
}

/** The number that begins at `at`. */
function numberAt(text: string, at: number): number {
  let [number, code] = [0, 0];
  while ((code = text.charCodeAt(at++)) >= zero) number = number * 10 + code - zero;
  return number;
}
