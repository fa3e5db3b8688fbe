/** One session's journal as this process uses it: found, opened, followed from file to file, parked when idle. */
import fs from "node:fs";
import path from "node:path";
import type { SessionId } from "../../session-id.ts";
import { readCheckpoint, writeCheckpoint, type Start } from "./checkpoint.ts";
import { sessionDamaged, writeBehindDamage } from "./damage.ts";
import { ifThere, syncDirectory } from "./files.ts";
import { isReadOnly } from "./fs-errors.ts";
import { JournalFile, readHead, type Lines } from "./journal-file.ts";
import { journalName, journalNumbers } from "./layout.ts";
import type { JournalState, Verdict } from "./state.ts";
import { Turnstile } from "./turnstile.ts";

const { O_RDWR, O_RDONLY, O_APPEND } = fs.constants;

/** Lines that a reader must go through beyond the checkpoint before a new one pays. */
const checkpointBytes = 64 * 1024;

export class SessionFile {
  readonly id: SessionId;
  readonly directory: string;
  readonly turnstile = new Turnstile();
  /** Used since whoever parks idle files last looked. */
  used = false;
  #number = 1;
  #name = journalName(1);
  #path: string;
  #journal: JournalFile | undefined;
  /** Kept while the file is closed. */
  #parked: { readonly inode: number; readonly size: number; readonly state: JournalState } | undefined;
  #checkpointAt = 0;
  readonly #onOpen: (file: SessionFile) => void;

  constructor(id: SessionId, directory: string, onOpen: (file: SessionFile) => void) {
    this.id = id;
    this.directory = directory;
    this.#path = path.join(directory, this.#name);
    this.#onOpen = onOpen;
  }

  /** Name of the journal file; they are counted. */
  get name(): string {
    return this.#name;
  }

  get number(): number {
    return this.#number;
  }

  get path(): string {
    return this.#path;
  }

  /** What the journal says now; undefined when the session is not there or deleted. */
  view(): JournalState | undefined {
    const state = this.raw();
    return state?.deleted ? undefined : state;
  }

  /** As `view`, a deleted session that forks still need included. Errors: `STORE_CORRUPT`. */
  raw(): JournalState | undefined {
    this.used = true;
    this.#journal?.refresh();
    const journal = this.#current();
    return journal?.state;
  }

  /** The state as last known, without a look at the file. */
  get known(): JournalState | undefined {
    return this.#journal?.state ?? this.#parked?.state;
  }

  /** The journal to work on as it stands; `raw` was called just before. */
  get journal(): JournalFile | undefined {
    return this.#journal;
  }

  /** How far the journal is written, as last known. */
  get written(): { readonly number: number; readonly bytes: number } {
    return { number: this.#number, bytes: this.#journal?.size ?? this.#parked?.size ?? 0 };
  }

  /** Up to there it is on the medium. */
  noteSafe({ number, bytes }: SessionFile["written"]): void {
    const state = this.known;
    if (number === this.#number && state !== undefined) state.safe = Math.max(state.safe, bytes);
  }

  /** Brings `known` up to date with as little as a look at the file's size. */
  revalidate(): JournalState | undefined {
    const parked = this.#parked;
    if (parked !== undefined) {
      const stat = fs.statSync(this.path, { throwIfNoEntry: false });
      if (stat?.ino === parked.inode && stat.size === parked.size) return parked.state;
    }
    return this.raw();
  }

  /** Writes lines unless they would not count, and says what became of them. */
  write(lines: Lines): Verdict {
    this.used = true;
    for (;;) {
      const journal = this.#current();
      if (journal === undefined) return "gone";
      if (journal.readOnlyBecause !== undefined) throw journal.readOnlyBecause;
      const [damage] = journal.state.damage;
      if (damage !== undefined) throw writeBehindDamage(this.id, damage.afterSeq, this.#name);
      const verdict = journal.write(lines);
      if (verdict === "counts") {
        if (journal.removed && !journal.state.deleted) return this.#vanished();
        return verdict;
      }
      if (verdict !== "moved") return verdict;
    }
  }

  /** Closes the file and keeps what was learnt. */
  park(): void {
    const journal = this.#journal;
    if (journal === undefined) return;
    this.#journal = undefined;
    const { inode, size, state, removed } = journal;
    this.#parked = removed ? undefined : { inode, size, state };
    fs.closeSync(journal.fd);
  }

  /** Forgets everything; the next use finds out anew. */
  reset(): void {
    this.park();
    this.#parked = undefined;
  }

  /** Leaves a record for people and a shorter way for the next reader, when it pays or `always`. */
  checkpoint(always = false): void {
    const journal = this.#journal;
    if (journal === undefined || journal.removed || journal.readOnlyBecause !== undefined) return;
    const { offset, damage } = journal.state;
    if (damage.length > 0 || (offset - this.#checkpointAt < checkpointBytes && !always)) return;
    writeCheckpoint(this.directory, this.#number, journal.fd, journal.state);
    this.#checkpointAt = offset;
  }

  /** The open journal in which the session goes on. */
  #current(): JournalFile | undefined {
    for (;;) {
      const journal = this.#journal ?? this.#open();
      if (journal === undefined) return undefined;
      if (journal.state.next !== undefined) this.#follow(journal);
      else if (journal.removed && !journal.state.deleted) this.reset();
      else return journal;
    }
  }

  /** Finishes a switch of files, which whoever made it may not have lived to do. */
  #follow({ fd, state: { next = "" } }: JournalFile): void {
    const older = this.path;
    this.#at(this.#number + 1);
    try {
      // Each step must be there after a power cut before the following one is.
      fs.fsyncSync(fd);
      if (ifThere(() => (fs.renameSync(path.join(this.directory, next), this.path), true))) {
        syncDirectory(this.directory);
      }
      fs.rmSync(older, { force: true });
    } catch (error) {
      if (!isReadOnly(error)) throw error;
      if (!fs.existsSync(this.path)) this.#called(next);
    } finally {
      this.reset();
      this.#checkpointAt = 0;
    }
  }

  #at(number: number): void {
    this.#number = number;
    this.#called(journalName(number));
  }

  #called(name: string): void {
    this.#name = name;
    this.#path = path.join(this.directory, name);
  }

  #vanished(): Verdict {
    this.reset();
    return "gone";
  }

  #open(): JournalFile | undefined {
    const start = this.#parked === undefined ? readCheckpoint(this.directory) : undefined;
    if (start !== undefined) this.#at(start.journal);
    let opened = openToAppend(this.path);
    if (opened === undefined) {
      const lowest = journalNumbers(this.directory)?.[0];
      if (lowest === undefined) return undefined;
      this.#at(lowest);
      opened = openToAppend(this.path);
      if (opened === undefined) return this.#open();
    }
    const { fd, readOnlyBecause } = opened;
    try {
      const { ino, size } = fs.fstatSync(fd);
      const parked =
        this.#parked?.inode === ino && this.#parked.size <= size ? this.#parked.state : undefined;
      const begun = start?.journal === this.#number ? start.stateIn(fd, size) : undefined;
      const state = parked ?? begun ?? readHead(fd, size);
      if (state === undefined) throw sessionDamaged(this.id, this.#name);
      const journal = new JournalFile(fd, state, ino, readOnlyBecause);
      journal.refresh();
      if (start?.journal === this.#number && size < start.safe) noteCutOff(state, size, start);
      if (begun !== undefined) this.#checkpointAt = begun.offset;
      this.#journal = journal;
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    this.#parked = undefined;
    this.#onOpen(this);
    return this.#journal;
  }
}

/** It is shorter than it has been on the medium: what is missing is damage, though all that is left is sound. */
function noteCutOff(state: JournalState, size: number, { safe, headSeq }: Start): void {
  state.damage.push({ offset: size, bytes: safe - size, afterSeq: state.headSeq });
  // Before a seal there were more entries than after it: how many are lost nobody knows, but some are.
  state.headSeq = Math.max(state.headSeq + 1, headSeq);
}

function openToAppend(file: string): { fd: number; readOnlyBecause: Error | undefined } | undefined {
  return ifThere(() => {
    try {
      return { fd: fs.openSync(file, O_RDWR | O_APPEND), readOnlyBecause: undefined };
    } catch (error) {
      if (!isReadOnly(error)) throw error;
      return { fd: fs.openSync(file, O_RDONLY), readOnlyBecause: error as Error };
    }
  });
}
