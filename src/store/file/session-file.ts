/** One session's journal as this process uses it: found, opened, followed from file to file, parked when idle. */
import fs from "node:fs";
import path from "node:path";
import { syncDirectory } from "../../base/disk.ts";
import { systemCodeOf } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { Queue } from "../../base/queue.ts";
import { frozenCopy } from "../copy.ts";
import type { Awaitable } from "../../base/awaitable.ts";
import { noteLost, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { isReadOnly, sessionDamaged, writeBehindDamage } from "./errors.ts";
import { ifThere, openToAppend, type Opened } from "./files.ts";
import { JournalFile, readHead, type Lines } from "./journal-file.ts";
import type { Verdict } from "./judge.ts";
import { journalName, journalNumbers } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";
import type { JournalState } from "./state.ts";

/** Lines that a reader must go through beyond the checkpoint before a new one pays. */
const checkpointBytes = 64 * 1024;

export class SessionFile {
  readonly id: SessionId;
  readonly directory: string;
  readonly #queue = new Queue();
  /** Used since whoever parks idle files last looked. */
  used = false;
  readonly #open: OpenFiles;
  #number = 1;
  #path: string;
  /** Kept, closed, while the file is parked. */
  #journal: JournalFile | undefined;
  #checkpointAt = 0;

  constructor(id: SessionId, directory: string, open: OpenFiles) {
    this.id = id;
    this.directory = directory;
    this.#path = path.join(directory, journalName(1));
    this.#open = open;
  }

  /** Name of the journal file; they are counted. */
  get name(): string {
    return path.basename(this.#path);
  }

  get path(): string {
    return this.#path;
  }

  /** Acts at once, or when a rotation has ended that is under way; then on a copy, since what is given may change. */
  inOrder<Given, T>(given: Given, act: (given: Given) => T): Awaitable<T> {
    if (this.#queue.length === 0) return act(given);
    const own = frozenCopy(given);
    return this.#queue.run(async () => act(own));
  }

  /** Everything that comes later waits until `act` has ended. */
  holdingUp<T>(act: () => Promise<T>): Promise<T> {
    return this.#queue.run(act);
  }

  /** Settles when nothing is held up any more. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** What the journal says now; undefined when the session is not there or deleted. */
  view(): JournalState | undefined {
    const state = this.raw();
    return state?.deleted ? undefined : state;
  }

  /** As `view`, a deleted session that forks still need included. Errors: `STORE_CORRUPT`. */
  raw(): JournalState | undefined {
    this.used = true;
    if (this.#journal?.isOpen) this.#journal.refresh();
    return this.#current()?.state;
  }

  /** The state as last known, without a look at the file. */
  get known(): JournalState | undefined {
    return this.#journal?.state;
  }

  /** The journal to work on as it stands; `raw` was called just before. */
  get journal(): JournalFile | undefined {
    return this.#journal;
  }

  /** How far the journal is written, as last known. */
  get written(): { readonly number: number; readonly bytes: number } {
    return { number: this.#number, bytes: this.#journal?.size ?? 0 };
  }

  /** Up to there it is on the medium. */
  noteSafe({ number, bytes }: SessionFile["written"]): void {
    const state = this.known;
    if (number === this.#number && state !== undefined) state.safe = Math.max(state.safe, bytes);
  }

  /** Brings `known` up to date with as little as a look at the file's size. */
  revalidate(): JournalState | undefined {
    const journal = this.#journal;
    if (journal !== undefined && !journal.isOpen) {
      const stat = fs.statSync(this.path, { throwIfNoEntry: false });
      if (stat?.ino === journal.inode && stat.size === journal.size) return journal.state;
    }
    return this.raw();
  }

  /** A file of the session, its journal unless told, open beside whatever else is done to it. To be closed. */
  openToRead(name = this.name): number {
    return this.#open.withRoom(() => fs.openSync(path.join(this.directory, name), "r"));
  }

  /** Writes lines unless they would not count, and says what became of them. */
  write(lines: Lines): Verdict {
    this.used = true;
    for (;;) {
      const journal = this.#current();
      if (journal === undefined) return "gone";
      if (journal.readOnlyBecause !== undefined) throw journal.readOnlyBecause;
      const [damage] = journal.state.damage;
      if (damage !== undefined) throw writeBehindDamage(this.id, damage.afterSeq, this.name);
      const verdict = journal.write(lines);
      if (verdict === "counts") return journal.removed ? this.#written(journal) : verdict;
      if (verdict !== "moved") return verdict;
    }
  }

  /** Closes the file and keeps what was learnt. */
  park(): void {
    this.#journal?.close();
    if (this.#journal?.removed) this.#journal = undefined;
  }

  /** Forgets everything; the next use finds out anew. */
  reset(): void {
    this.#journal?.close();
    this.#journal = undefined;
  }

  /** Leaves a record for people and a shorter way for the next reader, when it pays or `always`. */
  checkpoint(always = false): void {
    const journal = this.#journal;
    if (!journal?.isOpen || journal.removed || journal.readOnlyBecause !== undefined) return;
    const { offset, damage } = journal.state;
    if (damage.length > 0 || (offset - this.#checkpointAt < checkpointBytes && !always)) return;
    try {
      this.#open.withRoom(() => writeCheckpoint(this.directory, this.#number, journal.fd, journal.state));
      this.#checkpointAt = offset;
    } catch (error) {
      // Without one a reader begins earlier; what was to be done is done.
      if (systemCodeOf(error) === undefined) throw error;
    }
  }

  /** The open journal in which the session goes on. */
  #current(): JournalFile | undefined {
    for (;;) {
      const journal = this.#journal?.isOpen ? this.#journal : this.#open.withRoom(() => this.#find());
      if (journal === undefined) return undefined;
      if (journal.state.next !== undefined) this.#follow(journal.state.next);
      else if (journal.removed) this.reset();
      else return journal;
    }
  }

  /** Gives the file in which the session goes on its name, which whoever wrote it may not have lived to do. */
  #follow(next: string): void {
    const older = this.#number;
    const named = path.join(this.directory, journalName(older + 1));
    const isNewest = () => journalNumbers(this.directory)?.at(-1) === older;
    this.reset();
    this.#checkpointAt = 0;
    try {
      const isNamed = ifThere(() => (fs.renameSync(path.join(this.directory, next), named), true));
      if (!isNamed && isNewest()) throw sessionDamaged(this.id, next);
    } catch (error) {
      if (!isReadOnly(error)) throw error;
      // Here it is read under the name that it has.
      if (isNewest() && this.#openAs(older + 1, next) === undefined) throw sessionDamaged(this.id, next);
    }
  }

  /**
   * What became of lines that count in a file that has lost its name since: they went on with the session to its
   * next file, or came before its deletion. If nothing in the file says so, somebody has taken it away.
   */
  #written(journal: JournalFile): Verdict {
    journal.refresh();
    if (journal.state.next !== undefined || journal.state.deleted) return "counts";
    this.reset();
    return "gone";
  }

  /** Opens the file again that is parked, or the newest. */
  #find(): JournalFile | undefined {
    for (;;) {
      const number = this.#journal === undefined ? this.#newest() : this.#number;
      if (number === undefined) return undefined;
      const journal = this.#openAs(number, this.#journal && this.name);
      if (journal !== undefined) return journal;
      // Another process has removed it, or let the session go on elsewhere.
      this.#journal = undefined;
    }
  }

  /**
   * Number of the journal in which the session goes on. An older one stays until it is sure that a power cut
   * leaves the newer one's name: whoever finds both sees to it.
   */
  #newest(): number | undefined {
    const numbers = journalNumbers(this.directory) ?? [];
    const newest = numbers.pop();
    try {
      if (numbers.length > 0) syncDirectory(this.directory);
      for (const older of numbers) fs.rmSync(path.join(this.directory, journalName(older)), { force: true });
    } catch (error) {
      if (!isReadOnly(error)) throw error;
    }
    return newest;
  }

  /** Undefined when there is no such file. */
  #openAs(number: number, name = journalName(number)): JournalFile | undefined {
    this.#number = number;
    this.#path = path.join(this.directory, name);
    const opened = openToAppend(this.#path);
    if (opened === undefined) return undefined;
    const parked = this.#journal;
    this.#journal = undefined;
    try {
      const { ino, size } = fs.fstatSync(opened.fd);
      const isSame = parked?.inode === ino && parked.size <= size;
      this.#journal = isSame ? parked.reopened(opened) : this.#begun(opened, ino, size);
    } catch (error) {
      fs.closeSync(opened.fd);
      throw error;
    }
    this.#open.opened(this);
    return this.#journal;
  }

  /** A file that is read for the first time, from its checkpoint on if there is one. */
  #begun({ fd, readOnlyBecause }: Opened, inode: number, size: number): JournalFile {
    const start = readCheckpoint(this.directory, this.#number);
    const begun = start?.stateIn(fd, size);
    const state = begun ?? readHead(fd, size);
    if (state === undefined) throw sessionDamaged(this.id, this.name);
    const journal = new JournalFile(fd, state, inode, readOnlyBecause);
    journal.refresh();
    if (start !== undefined) noteLost(state, start);
    if (begun !== undefined) this.#checkpointAt = begun.offset;
    return journal;
  }
}
