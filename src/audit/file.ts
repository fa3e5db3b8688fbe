/** The file as one process sees it, to which any number of processes append: each under the lock, a batch at a time. */
import {
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { makeDirectory, syncDirectory } from "../base/disk.ts";
import { SidecarError, systemCodeOf } from "../base/errors.ts";
import { beginning, lineAfter, type Link } from "./line.ts";
import { rotatedFile, rotatedFiles } from "./places.ts";
import { tailOf, tailOfFile } from "./tail.ts";

const datasync = promisify(fdatasync);

export interface LogFileOptions {
  readonly file: string;
  /** A file that is larger is not added to any more. */
  readonly maxBytes: number;
  /** How many of those stay. */
  readonly maxFiles: number;
  /** The members of a record of the log's own, as JSON without braces. */
  readonly own: (what: string, facts: Readonly<Record<string, string | number>>) => string;
}

export class LogFile {
  readonly #options: LogFileOptions;
  #fd: number | undefined;
  #ino = 0;
  /** What stood there when this process wrote last. */
  #known: { readonly ino: number; readonly size: number; readonly last: Link } | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Adds records to the end. Its caller has the lock. On an error nothing of them stays. Errors: the system's own. */
  append(bodies: readonly string[]): void {
    const { maxBytes, own } = this.#options;
    const { ino, size } = this.#open();
    const before: string[] = [];
    let begin = "";
    let last = this.#known?.ino === ino && this.#known.size === size ? this.#known.last : undefined;
    if (last === undefined) {
      const tail = tailOf(this.#opened(), size);
      last = tail.last ?? this.#lastOfEarlier();
      if (tail.isOpen) begin = "\n";
      if (tail.torn !== undefined) before.push(own("log.torn", tail.torn));
      const { last: knew } = this.#known ?? {};
      if (knew !== undefined && knew.seq > last.seq)
        before.push(own("log.shortened", { knewSeq: knew.seq, knewHash: knew.hash }));
    }
    let at = size + begin.length;
    if (size > maxBytes && begin === "") {
      this.#rotate(last);
      at = 0;
    }
    // Whoever has rotated may have been killed before it said so, and before it deleted what is too much.
    if (at === 0) before.push(...this.#rotation());
    const { text, end } = chained(last, [...before, ...bodies]);
    this.#write(this.#opened(), begin + text, at - begin.length);
    this.#known = { ino: this.#ino, size: at + Buffer.byteLength(text), last: end };
    if (at === 0) this.#drop();
  }

  /** What was added survives a power cut. Nothing is added meanwhile. */
  async sync(): Promise<void> {
    const fd = this.#fd;
    if (fd !== undefined) await datasync(fd);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** The file that has the name now: another process may have put it aside. */
  #open(): { readonly ino: number; readonly size: number } {
    const { file } = this.#options;
    const there = statSync(file, { throwIfNoEntry: false });
    if (there !== undefined && this.#fd !== undefined && there.ino === this.#ino) return there;
    this.close();
    if (there === undefined) makeDirectory(path.dirname(file));
    this.#fd = openSync(file, "a+", 0o600);
    if (there === undefined) syncDirectory(path.dirname(file));
    const opened = fstatSync(this.#fd);
    this.#ino = opened.ino;
    return opened;
  }

  #opened(): number {
    if (this.#fd === undefined) throw new SidecarError("INTERNAL", "The audit log is closed");
    return this.#fd;
  }

  /** In a file that is new: where the one before it ends. */
  #lastOfEarlier(): Link {
    for (const earlier of rotatedFiles(this.#options.file).toReversed()) {
      const { last } = tailOfFile(earlier);
      if (last !== undefined) return last;
    }
    return beginning;
  }

  #rotate(last: Link): void {
    const { file } = this.#options;
    fsyncSync(this.#opened());
    renameSync(file, rotatedFile(file, last.seq));
    this.#open();
  }

  /** What the first line of a file says: after which one it comes, and what goes now. None in the first file of all. */
  #rotation(): readonly string[] {
    const { file, own } = this.#options;
    const before = rotatedFiles(file).at(-1);
    return before === undefined
      ? []
      : [own("log.rotate", { after: path.basename(before), ...this.#dropped() })];
  }

  /** Those that are too many. */
  #excess(): readonly string[] {
    const { file, maxFiles } = this.#options;
    return rotatedFiles(file).slice(0, -maxFiles);
  }

  /** The last line of what goes, so that who verifies knows why it is gone. */
  #dropped(): Readonly<Record<string, string | number>> {
    const newest = this.#excess().at(-1);
    const last = newest === undefined ? undefined : tailOfFile(newest).last;
    return last === undefined ? {} : { droppedThrough: last.seq, droppedHash: last.hash };
  }

  #drop(): void {
    for (const each of this.#excess()) unlinkSync(each);
  }

  /** What was written of it before a failure is taken back. */
  #write(fd: number, text: string, size: number): void {
    const bytes = Buffer.from(text);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      this.#known = undefined;
      takenBack(fd, size);
      throw error;
    }
  }
}

function takenBack(fd: number, size: number): void {
  try {
    ftruncateSync(fd, size);
  } catch (error) {
    // What stays is a torn line, which the next writer accounts for.
    if (systemCodeOf(error) === undefined) throw error;
  }
}

function chained(after: Link, bodies: readonly string[]): { readonly text: string; readonly end: Link } {
  let end = after;
  const texts: string[] = [];
  for (const body of bodies) {
    const { text, ...link } = lineAfter(end, body);
    texts.push(text);
    end = link;
  }
  return { text: texts.join(""), end };
}
