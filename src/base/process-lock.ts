/**
 * A lock between processes that dies with its holder, and is fair. Whoever wants it appends a claim to a file, and has
 * it when every claim before it is given back, or its process is dead. Appends of a line are one after the other on a
 * local disk, whoever makes them. Who gives it back and sees that the file is long empties it: a claim that is not
 * there any more is made anew.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync, writeSync } from "node:fs";
import path from "node:path";
import { makeDirectory } from "./disk.ts";
import { SidecarError, systemCodeOf } from "./errors.ts";
import { isSameProcessAlive, processSpace, startOf } from "./process.ts";

/** Claimants elsewhere (another machine, another container) count as dead after this: a lock is held for moments. */
const abandonedMs = 30_000;
/** A longer file is emptied when nobody waits, and one that is this much longer in any case. */
const [longBytes, tooLongBytes] = [1 << 10, 16 << 10];

interface Claim {
  readonly id: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly space: string;
  readonly atMs: number;
}

export class ProcessLock {
  /** How many had their turn before us when it was tried last. */
  ahead = 0;
  /** Which taking it was that held it then. */
  held: string | undefined;
  readonly #file: string;
  readonly #self: string;
  readonly #space = createHash("sha256").update(processSpace()).digest("base64url").slice(0, 12);
  #fd: number | undefined;
  #ino = 0;
  #claims = 0;
  /** Ours that waits. */
  #claim: string | undefined;
  /** Given up, which could not be written yet. */
  readonly #owed = new Set<string>();

  /** @param file of its own, made when it is first taken */
  constructor(file: string) {
    this.#file = file;
    this.#self = `${process.pid} ${startOf(process.pid) || "-"} ${this.#space}`;
  }

  /** Returns what gives it back; undefined while it is not our turn. Errors: the system's own. */
  tryTake(): (() => void) | undefined {
    const fd = this.#open();
    for (const id of this.#owed) this.#giveUp(fd, id);
    for (let tries = 0; tries < 10; tries += 1) {
      this.#claim ??= this.#makeClaim(fd);
      const id = this.#claim;
      const waiting = this.#waiting(fd);
      const at = waiting.findIndex((each) => each.id === id);
      const before = waiting.slice(0, Math.max(0, at)).filter((each) => this.#isAlive(each));
      this.ahead = before.length;
      this.held = before[0]?.id;
      if (this.ahead > 0) return undefined;
      this.#claim = undefined;
      if (at >= 0) return () => this.#release(fd, id);
    }
    return undefined;
  }

  /** It is wanted no longer. */
  leave(): void {
    if (this.#claim === undefined || this.#fd === undefined) return;
    this.#owed.add(this.#claim);
    this.#giveUp(this.#fd, this.#claim);
    this.#claim = undefined;
  }

  /** Who has it now, as far as can be told. */
  holder(): string {
    const [first] = this.#waiting(this.#open()).filter((each) => this.#isAlive(each));
    return `process ${first?.pid ?? "?"}`;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** The file that has the name now: somebody may have tidied up. */
  #open(): number {
    const there = statSync(this.#file, { throwIfNoEntry: false });
    if (this.#fd !== undefined && there?.ino === this.#ino) return this.#fd;
    this.close();
    if (there === undefined) makeDirectory(path.dirname(this.#file));
    const fd = openSync(this.#file, "a+", 0o600);
    this.#ino = fstatSync(fd).ino;
    this.#fd = fd;
    return fd;
  }

  #makeClaim(fd: number): string {
    this.#claims += 1;
    const id = `${process.pid}.${this.#claims}.${Math.random().toString(36).slice(2, 10)}`;
    append(fd, `\nT ${id} ${this.#self} ${Date.now()}`);
    return id;
  }

  /** Claims in their order that are not given back. */
  #waiting(fd: number): Claim[] {
    const waiting = new Map<string, Claim>();
    for (const line of textOf(fd).split("\n")) {
      const [kind, id = "", pid, startedAt = "", space = "", at = ""] = line.split(" ");
      if (kind === "R") waiting.delete(id);
      // Of a claim that is being written the end may be missing.
      else if (kind === "T" && /^\d{13}$/.test(at))
        waiting.set(id, {
          id,
          pid: Number(pid),
          startedAt: startedAt === "-" ? "" : startedAt,
          space,
          atMs: Number(at),
        });
    }
    return [...waiting.values()];
  }

  #isAlive({ pid, startedAt, space, atMs }: Claim): boolean {
    if (space !== this.#space) return Date.now() - atMs < abandonedMs;
    const isOurs = `${pid} ${startedAt || "-"} ${space}` === this.#self;
    return isOurs || isSameProcessAlive({ pid, startedAt });
  }

  #release(fd: number, id: string): void {
    const { size } = fstatSync(fd);
    const isToBeEmptied = size > tooLongBytes || (size > longBytes && this.#waiting(fd).length <= 1);
    if (isToBeEmptied) return truncateSync(this.#file, 0);
    try {
      append(fd, `\nR ${id}`);
    } catch {
      // On a full disk that is how it is given back.
      truncateSync(this.#file, 0);
    }
  }

  #giveUp(fd: number, id: string): void {
    try {
      append(fd, `\nR ${id}`);
      this.#owed.delete(id);
    } catch (error) {
      // It is tried again with the next claim, for which there is no room either.
      if (systemCodeOf(error) === undefined) throw error;
    }
  }
}

function append(fd: number, line: string): void {
  if (writeSync(fd, line) < line.length) throw new SidecarError("FILE_FAILED", "the disk is full");
}

function textOf(fd: number): string {
  const bytes = Buffer.allocUnsafe(fstatSync(fd).size);
  return bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0));
}
