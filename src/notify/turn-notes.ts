/**
 * Which turns run here whose end somebody wants to know: a small file for each session and receiver, from its prompt until
 * what ended it is in the outbox. When a process is killed between the two, the next one that tells the same receiver reads
 * here where to look in the journal.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { makeDirectory } from "../base/disk.ts";
import { reasonOf, systemCodeOf } from "../base/errors.ts";
import { isSessionId, type SessionId } from "../base/ids.ts";
import { isRecord } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import type { Hook } from "../config/structures.ts";
import type { SessionNews } from "../session/events.ts";
import type { Entry } from "../store/contract.ts";
import { addressOf } from "./letter.ts";
import { elsewhereMs, isGone, thisOwner, uselessMs, type Owner } from "../base/owner.ts";

/** Plain JSON. */
export interface TurnNote {
  readonly owner: Owner;
  /** The prompt's entry: its number may become smaller when its turn is sealed, its time stays. */
  readonly seq: number;
  readonly atMs: number;
  /** So many ends, and questions, have been told since. */
  readonly ended: number;
  readonly asked: number;
}

/** The note of a process that is gone. */
export interface LeftNote {
  readonly sessionId: SessionId;
  /** Who is to be told: `addressOf` it. */
  readonly to: string;
  readonly note: TurnNote;
  /** The entries behind it are somebody else's to tell. */
  readonly through?: number;
}

interface Running {
  readonly note: TurnNote;
  readonly turns: number;
}

export class TurnNotes {
  readonly #folder: string;
  readonly #store: string;
  readonly #to: ReadonlySet<string>;
  readonly #log: Logger;
  readonly #own = thisOwner();
  readonly #running = new Map<SessionId, Running>();
  #inTheWay: LeftNote[] = [];

  /**
   * @param outbox the folder of letters
   * @param hooks those who want to know of turns are noted
   */
  constructor(outbox: string, storeUrl: string, hooks: readonly Hook[], log: Logger) {
    this.#folder = path.join(outbox, "turns");
    this.#store = createHash("sha256").update(storeUrl).digest("hex").slice(0, 12);
    const ofTurns = hooks.filter(({ on }) => on.includes("turn.ended") || on.includes("permission.asked"));
    this.#to = new Set(ofTurns.map(addressOf));
    this.#log = log;
  }

  /** At once: on return what begins a turn is noted. Failures are logged. */
  see(news: SessionNews): void {
    if (news.type !== "append") return;
    for (const entry of news.entries)
      if (entry.kind === "prompt") this.#try(() => this.#begin(news.id, entry));
  }

  /** It is in the outbox for all who want to know, or for one of them. @param atMs when it was journaled */
  told(event: string, id: SessionId, atMs: number, to?: string): void {
    const running = this.#running.get(id);
    // The end of a turn that a process before us has begun.
    if (running !== undefined && atMs < running.note.atMs) return;
    if (event === "permission.asked" && running !== undefined)
      this.#change(id, running.turns, { ...running.note, asked: running.note.asked + 1 });
    if (event !== "turn.ended") return;
    if (running !== undefined && running.turns > 1)
      return this.#change(id, running.turns - 1, { ...running.note, ended: running.note.ended + 1 });
    this.#running.delete(id);
    for (const each of to === undefined ? this.#to : [to])
      this.#try(() => fs.rmSync(this.#fileOf(id, each), { force: true }));
  }

  /** Notes of processes that are gone, in whose place stand ours by now; each once. */
  takeInTheWay(): readonly LeftNote[] {
    const found = this.#inTheWay;
    if (found.length > 0) this.#inTheWay = [];
    return found;
  }

  /** What processes that are gone have left. Failures are logged. */
  left(): readonly LeftNote[] {
    let found: LeftNote[] = [];
    this.#try(() => {
      found = this.#names().flatMap((name) => this.#leftIn(name));
    });
    return found;
  }

  /** What was missed has been told; what is not over is for whoever opens the session next. */
  settle({ sessionId, note, to }: LeftNote, now: { readonly isOver: boolean; readonly asked: number }): void {
    this.#try(() => {
      const file = this.#fileOf(sessionId, to);
      const there = noteIn(file);
      if (there === undefined || there.atMs !== note.atMs || there.owner.pid !== note.owner.pid) return;
      if (now.isOver) fs.rmSync(file, { force: true });
      else if (now.asked > 0) this.#write(file, { ...note, asked: note.asked + now.asked });
    });
  }

  #begin(id: SessionId, { seq, atMs }: Entry): void {
    const running = this.#running.get(id);
    if (running !== undefined) {
      this.#running.set(id, { ...running, turns: running.turns + 1 });
      return;
    }
    const note = { owner: this.#own, seq, atMs, ended: 0, asked: 0 };
    this.#running.set(id, { note, turns: 1 });
    for (const to of this.#to) {
      const file = this.#fileOf(id, to);
      const before = noteIn(file);
      if (before !== undefined && isGone(before.owner, this.#own) !== false)
        this.#inTheWay.push({ sessionId: id, to, note: before, through: seq - 1 });
      this.#write(file, note);
    }
  }

  #change(id: SessionId, turns: number, note: TurnNote): void {
    this.#running.set(id, { note, turns });
    for (const to of this.#to) this.#try(() => this.#write(this.#fileOf(id, to), note));
  }

  /** Whole or not at all, whatever is killed. After a power cut it may be missing. */
  #write(file: string, note: TurnNote): void {
    makeDirectory(this.#folder);
    const partial = `${file}.${process.pid}.tmp`;
    fs.writeFileSync(partial, JSON.stringify(note), { mode: 0o600 });
    fs.renameSync(partial, file);
  }

  #leftIn(name: string): LeftNote[] {
    const file = path.join(this.#folder, name);
    const ageMs = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
    const [store, sessionId = "", to = ""] = name.replace(/\.json$/, "").split("-");
    const note = noteIn(file);
    const gone = note && (isGone(note.owner, this.#own) ?? ageMs > elsewhereMs);
    if (ageMs > uselessMs && gone !== false) fs.rmSync(file, { force: true });
    if (note === undefined || gone !== true || store !== this.#store || !this.#to.has(to)) return [];
    return isSessionId(sessionId) ? [{ sessionId, to, note }] : [];
  }

  #names(): readonly string[] {
    try {
      return fs.readdirSync(this.#folder).sort();
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  #fileOf(id: SessionId, to: string): string {
    return path.join(this.#folder, `${this.#store}-${id}-${to}.json`);
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      const reason = systemCodeOf(error) ?? reasonOf(error);
      this.#log.error({ reason }, "the outbox of what is to be told cannot be used");
    }
  }
}

/** Undefined where there is none, or what is there is none. */
function noteIn(file: string): TurnNote | undefined {
  try {
    const found: unknown = JSON.parse(fs.readFileSync(file, "utf8"));
    const isNote =
      isRecord(found) &&
      isRecord(found.owner) &&
      typeof found.owner.pid === "number" &&
      typeof found.owner.startedAt === "string" &&
      typeof found.owner.space === "string" &&
      [found.seq, found.atMs, found.ended, found.asked].every((each) => typeof each === "number");
    return isNote ? (found as unknown as TurnNote) : undefined;
  } catch {
    return undefined;
  }
}
