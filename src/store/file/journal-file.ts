/**
 * One journal file as one process sees it, which any number of processes append to. There is no lock that a
 * crash could leave behind: the operating system puts every O_APPEND write at the end in one piece, and the
 * order of the lines decides which of them count (`judge`). So a writer writes, and then looks what stands
 * between the place where it believed the file to end and its own lines: nothing, nearly always; else it
 * takes that in as everybody does and learns what became of its lines. A writer that was frozen and woken
 * finds its lines behind its successor's lease, where they count for nobody.
 *
 * This holds for file systems of one machine. Over NFS, appends of several machines are not in one piece.
 */
import fs from "node:fs";
import { SidecarError } from "../../base/errors.ts";
import { readAt, writeAll, type Opened } from "./files.ts";
import { apply, judge, type EntryPlace, type Unit, type Verdict } from "./judge.ts";
import { encodeOp, lineBreak, type EntryLine, type OpLine } from "./line.ts";
import { replayHead, replayLog, type Listener } from "./replay-log.ts";
import type { JournalState } from "./state.ts";

/** Lines to be written together. */
export interface Lines {
  readonly texts: readonly (string | Buffer)[];
  /** What the first of them says; entries follow an `op`. */
  readonly line: EntryLine | OpLine;
  /** Of the first entry among them. */
  readonly firstSeq?: number;
  readonly lastAtMs?: number | undefined;
}

const sliceBytes = 1 << 20;
const closed = -1;
const attempts = 100;

export class JournalFile {
  /** Negative while it is closed. */
  fd: number;
  /** Tells this file from another one under the same name. */
  readonly inode: number;
  /** Why nothing can be written to it, if so. */
  readOnlyBecause: Error | undefined;
  readonly state: JournalState;
  /** Of the file when it was last looked at. */
  size: number;
  /** It has no name any more: its session was deleted, or it goes on elsewhere. */
  removed = false;

  constructor(fd: number, state: JournalState, inode: number, readOnlyBecause: Error | undefined) {
    this.fd = fd;
    this.inode = inode;
    this.readOnlyBecause = readOnlyBecause;
    this.state = state;
    this.size = state.offset;
  }

  get isOpen(): boolean {
    return this.fd !== closed;
  }

  /** What was learnt of it stays. */
  close(): void {
    if (this.isOpen) fs.closeSync(this.fd);
    this.fd = closed;
  }

  /** This, the same file opened again. */
  reopened({ fd, readOnlyBecause }: Opened): this {
    this.fd = fd;
    this.readOnlyBecause = readOnlyBecause;
    this.refresh();
    return this;
  }

  /** Takes in what others wrote. */
  refresh(): void {
    const { size, nlink } = fs.fstatSync(this.fd);
    this.removed = nlink === 0;
    if (size < this.state.offset) throw cutOff(this.state.facts.id);
    if (size !== this.size) this.#takeIn(size);
  }

  /** Writes the lines unless they would not count, and says what became of them. */
  write(lines: Lines): Verdict {
    let fresh = false;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const lead = this.#lead(lines.line);
      const expected = judge(this.state, { line: lines.line, offset: this.size + lead.length });
      if (expected === "counts") {
        const verdict = this.#writeOnce(lead, lines);
        if (verdict !== undefined) return verdict;
      } else if (fresh) {
        return expected;
      } else {
        this.refresh();
        fresh = true;
      }
    }
    throw new SidecarError("STORE_LOCKED", "Other processes keep writing to this session; try again");
  }

  /** Undefined when the lines came to stand behind an interrupted write, unreadable, and must be written again. */
  #writeOnce(lead: string, lines: Lines): Verdict | undefined {
    const parts = bytesOf([lead, ...lines.texts]);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const before = this.size;
    try {
      writeAll(this.fd, ...parts);
    } catch (error) {
      this.refresh();
      throw error;
    }
    const { size, nlink } = fs.fstatSync(this.fd);
    this.removed = nlink === 0;
    if (size === before + length) {
      this.size = size;
      this.state.torn = false;
      this.state.unended = false;
      return apply(this.state, unitOf(lines, before + lead.length));
    }
    const found = readAt(this.fd, before, size - before).indexOf(Buffer.concat(parts));
    let verdict: Verdict | undefined;
    this.#takeIn(size, (offset, heard) => {
      if (found >= 0 && offset === before + found + lead.length) verdict = heard;
    });
    return verdict;
  }

  /** Where a line would come to stand if it were written now. */
  placeOf(line: OpLine): number {
    return this.size + this.#lead(line).length;
  }

  /** What keeps the lines apart from an interrupted write before them. */
  #lead(line: EntryLine | OpLine): string {
    if (this.state.torn) return `\n${encodeOp({ op: "torn", from: this.state.offset })}`;
    // Not the holder's own lines: somebody else's write may just have been cut short.
    const isHolder = "batch" in line && line.batch !== undefined;
    return isHolder && !this.state.unended ? "" : "\n";
  }

  #takeIn(size: number, heard?: Listener): void {
    const { state } = this;
    for (let want = sliceBytes; state.offset < size;) {
      const base = state.offset;
      const length = Math.min(want, size - base);
      replayLog(state, { bytes: readAt(this.fd, base, length), base, isLast: base + length === size }, heard);
      if (base + length === size) break;
      want = state.offset === base ? want * 2 : sliceBytes;
    }
    this.size = size;
  }
}

/** The state at the head of a journal file; undefined when the head is damaged or missing. */
export function readHead(fd: number, size: number): JournalState | undefined {
  for (let want = sliceBytes; ; want *= 2) {
    const length = Math.min(want, size);
    const state = replayHead({ bytes: readAt(fd, 0, length), base: 0, isLast: length === size });
    if (state === "incomplete") continue;
    if (state !== undefined) state.unended = readAt(fd, state.offset - 1, 1)[0] !== lineBreak;
    return state;
  }
}

/** Large lines each by itself, all else together. */
function bytesOf(texts: readonly (string | Buffer)[]): Buffer[] {
  const parts: Buffer[] = [];
  let small: string[] = [];
  const end = () => {
    const text = small.join("");
    if (text !== "") parts.push(Buffer.from(text));
    small = [];
  };
  for (const text of texts) {
    if (typeof text === "string") small.push(text);
    else {
      end();
      parts.push(text);
    }
  }
  end();
  return parts;
}

function unitOf(lines: Lines, offset: number): Unit {
  const { texts, line, firstSeq = 0, lastAtMs } = lines;
  const entries: EntryPlace[] = [];
  let end = offset;
  for (const [i, text] of texts.entries()) {
    const start = end;
    end += Buffer.byteLength(text);
    const nth = "seq" in line ? i : i - 1;
    if (nth >= 0) entries.push({ seq: firstSeq + nth, offset: start, end });
  }
  return { line, entries, lastAtMs, offset, end };
}

function cutOff(id: string): SidecarError {
  return new SidecarError("STORE_CORRUPT", `The journal of session ${id} was cut off while it was in use`, {
    data: { sessionId: id },
  });
}
