/** One session's journal as this process uses it: found, opened, followed from file to file, parked when idle. */
import fs from "node:fs";
import path from "node:path";
import { syncDirectory } from "../../base/disk.ts";
import type { SessionId } from "../../base/ids.ts";
import { readCheckpoint, writeCheckpoint, type Start } from "./checkpoint.ts";
import { sessionDamaged, writeBehindDamage } from "./damage.ts";
import { ifThere, openToAppend } from "./files.ts";
import { isReadOnly } from "./fs-errors.ts";
import { JournalFile, readHead, type Lines } from "./journal-file.ts";
import { journalName, journalNumbers } from "./layout.ts";
import type { JournalState, Verdict } from "./state.ts";
import { Turnstile } from "./turnstile.ts";

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
        return journal.removed ? this.#written(journal) : verdict;
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
      if (journal.state.next !== undefined) this.#follow(journal.state.next);
      else if (journal.removed && !journal.state.deleted) this.reset();
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

  #at(number: number, name = journalName(number)): void {
    this.#number = number;
    this.#name = name;
    this.#path = path.join(this.directory, name);
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

  #open(): JournalFile | undefined {
    for (;;) {
      const number = this.#parked === undefined ? this.#newest() : this.#number;
      if (number === undefined) return undefined;
      const journal = this.#openAs(number, this.#parked && this.#name);
      if (journal !== undefined) return journal;
      // Another process has removed it, or let the session go on elsewhere.
      this.#parked = undefined;
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
    this.#at(number, name);
    const opened = openToAppend(this.path);
    if (opened === undefined) return undefined;
    const { fd, readOnlyBecause } = opened;
    const start = this.#parked === undefined ? readCheckpoint(this.directory) : undefined;
    try {
      const { ino, size } = fs.fstatSync(fd);
      const parked =
        this.#parked?.inode === ino && this.#parked.size <= size ? this.#parked.state : undefined;
      const begun = start?.journal === number ? start.stateIn(fd, size) : undefined;
      const state = parked ?? begun ?? readHead(fd, size);
      if (state === undefined) throw sessionDamaged(this.id, name);
      const journal = new JournalFile(fd, state, ino, readOnlyBecause);
      journal.refresh();
      if (start?.journal === number && state.offset < start.safe) noteLost(state, start);
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

/**
 * It ends, or what is sound of it ends, before what was on the medium: that is damage, though it looks like a journal
 * that went no further, or like an interrupted write.
 */
function noteLost(state: JournalState, { safe, headSeq }: Start): void {
  const { offset } = state;
  state.damage.push({ offset, bytes: safe - offset, afterSeq: state.headSeq });
  // Before a seal there were more entries than after it: how many are lost nobody knows, but some are.
  state.headSeq = Math.max(state.headSeq + 1, headSeq);
}
