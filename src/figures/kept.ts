/**
 * What processes have counted outlives them: each has a file, written now and then and at its end, and whatever it has
 * told somebody it has written before, so that no sum ever falls. Those of the dead are added up in one file under a
 * lock. A process that is killed loses what it had counted since it last wrote, and nobody had been told.
 */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { makeDirectory } from "../base/disk.ts";
import { systemCodeOf } from "../base/errors.ts";
import { objectIn } from "../base/json.ts";
import { isSameProcessAlive, processSpace, startOf } from "../base/process.ts";
import { ProcessLock } from "../base/process-lock.ts";
import { pause } from "../base/time.ts";
import { onlyGauges, snapshotIn, sumOf, withoutGauges, type Snapshot } from "./snapshot.ts";

interface Kept {
  readonly id: string;
  readonly snapshot: Snapshot;
  /** Its process is gone. */
  readonly isOver: boolean;
}

interface Ended {
  /** Whose figures are in it, the latest of them: one whose file could not be removed is not added again. */
  readonly added: readonly string[];
  readonly snapshot: Snapshot;
}

const endedName = "ended.json";
const nothing: Snapshot = { counters: {}, times: {}, gauges: {} };
/** So many of the dead are remembered by name, and so many are added up at a time. */
const [mostRemembered, mostAtOnce] = [2000, 1000];
/** A file to which so much was added is begun anew. */
const mostAddedChars = 256 << 10;
/** How long others may have the lock before their sum is read as it is. */
const lockWaitMs = 500;
/** Where process numbers mean something else nobody can be asked: who has written nothing for so long is over. */
const foreignOverMs = 7 * 86_400_000;

export class KeptFigures {
  readonly #folder: string;
  /** How much stands in the files that this one writes. */
  readonly #added = new Map<string, number>();

  /** @param folder of its own, in the user's folder of state; made when something is written */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** On return it is what everybody finds. Errors: the system's own. */
  write(id: string, snapshot: Snapshot): void {
    const name = `${id}.json`;
    const kept = { ...self(), snapshot: withoutGauges(snapshot) };
    const added = this.#added.get(id);
    if (added === undefined || added > mostAddedChars) {
      makeDirectory(this.#folder);
      this.#replace(name, kept);
      this.#added.set(id, 0);
      return;
    }
    // Some file systems put a file that takes another's place on the disk at once: ten times as slow, for each scrape.
    const line = `\n${JSON.stringify(kept)}`;
    appendFileSync(path.join(this.#folder, name), line, { mode: 0o600 });
    this.#added.set(id, added + line.length);
  }

  /**
   * The sum of all that was counted by those who have just answered and by the others: of the dead, and of those that do
   * not answer what they wrote last. One that has answered and then ended is counted once.
   */
  async sumWith(answered: ReadonlyMap<string, Snapshot>): Promise<Snapshot> {
    // This process is not over, and what it has written says no more than its answer.
    const isTold = (id: string) => answered.has(id) && isOwnId(id);
    // The files first: what others add up in between is known by its name then, and is missed by nobody.
    let files = this.#files(isTold);
    if (files.some(({ isOver }) => isOver)) {
      await this.#addUp();
      files = this.#files(isTold);
    }
    const { added, snapshot } = this.#ended();
    const over = new Set(added);
    const rest = files.filter(({ id }) => !over.has(id) && !answered.has(id));
    const living = [...answered].map(([id, each]) => (over.has(id) ? onlyGauges(each) : each));
    return sumOf([snapshot, ...rest.map((each) => each.snapshot), ...living]);
  }

  /** Puts the figures of the dead into one file. Nothing happens while others are at it. */
  async addUp(): Promise<void> {
    if (this.#files().some(({ isOver }) => isOver)) await this.#addUp();
  }

  async #addUp(): Promise<void> {
    const lock = new ProcessLock(path.join(this.#folder, "ended.lock"));
    try {
      const release = await taken(lock);
      if (release === undefined) return;
      try {
        this.#add();
      } finally {
        release();
      }
    } finally {
      lock.close();
    }
  }

  /** Looked for once more: who had the lock before has added some. */
  #add(): void {
    const { added, snapshot } = this.#ended();
    const known = new Set(added);
    const over = this.#files()
      .filter(({ isOver }) => isOver)
      .slice(0, mostAtOnce);
    const fresh = over.filter(({ id }) => !known.has(id));
    if (fresh.length > 0) {
      const names = [...added, ...fresh.map(({ id }) => id)].slice(-mostRemembered);
      const sum = sumOf([snapshot, ...fresh.map((each) => each.snapshot)]);
      this.#replace(endedName, { added: names, snapshot: sum });
    }
    for (const { id } of over) rmSync(path.join(this.#folder, `${id}.json`), { force: true });
  }

  #ended(): Ended {
    const value = this.#read(endedName);
    const snapshot = snapshotIn(value?.["snapshot"]);
    const added = value?.["added"];
    if (snapshot === undefined || !Array.isArray(added)) return { added: [], snapshot: nothing };
    return { added: added.filter((each) => typeof each === "string"), snapshot };
  }

  #files(isLeftOut: (id: string) => boolean = () => false): Kept[] {
    return this.#names().flatMap((name) => {
      const id = name.slice(0, -".json".length);
      if (isLeftOut(id)) return [];
      const value = this.#read(name);
      const snapshot = snapshotIn(value?.["snapshot"]);
      if (value === undefined || snapshot === undefined) return [];
      return [{ id, snapshot, isOver: this.#isOver(name, value) }];
    });
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => name.endsWith(".json") && name !== endedName);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      return [];
    }
  }

  #isOver(name: string, { space, pid, startedAt }: Readonly<Record<string, unknown>>): boolean {
    const here = processSpace();
    if (space === here && typeof pid === "number" && typeof startedAt === "string")
      return !isSameProcessAlive({ pid, startedAt });
    // The same machine, started again.
    const [host, boot] = String(space).split("/");
    const [ourHost, ourBoot] = here.split("/");
    if (host === ourHost && boot !== ourBoot) return true;
    const file = statSync(path.join(this.#folder, name), { throwIfNoEntry: false });
    return file !== undefined && Date.now() - file.mtimeMs > foreignOverMs;
  }

  /** Undefined where there is none, or none that can be read: it can be done without. */
  #read(name: string): Readonly<Record<string, unknown>> | undefined {
    try {
      return lastIn(readFileSync(path.join(this.#folder, name), "utf8"));
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      return undefined;
    }
  }

  /** In one step: whoever reads it finds the one before or this one. */
  #replace(name: string, value: object): void {
    const file = path.join(this.#folder, name);
    const written = `${file}.${process.pid}.tmp`;
    writeFileSync(written, JSON.stringify(value), { mode: 0o600 });
    renameSync(written, file);
  }
}

/** The last whole line: one that is being written, or that a full disk has cut off, was told to nobody yet. */
function lastIn(text: string): Readonly<Record<string, unknown>> | undefined {
  for (let end = text.length; end > 0;) {
    const start = text.lastIndexOf("\n", end - 1);
    const value = objectIn(text.slice(start + 1, end));
    if (value !== undefined) return value;
    end = start;
  }
  return undefined;
}

let itself: { readonly pid: number; readonly startedAt: string; readonly space: string } | undefined;

/** Looked up once: for some platforms that is a program to be run. */
function self() {
  return (itself ??= { pid: process.pid, startedAt: startOf(process.pid) ?? "", space: processSpace() });
}

let made = 0;
let beginning: string | undefined;

/** Under which a sidecar keeps its figures: of no other one, whenever and wherever it runs. */
export function newFiguresId(): string {
  made += 1;
  return `${idBeginning()}${made}`;
}

function isOwnId(id: string): boolean {
  return id.startsWith(idBeginning());
}

function idBeginning(): string {
  const { pid, startedAt, space } = self();
  const start = () => createHash("sha256").update(`${space} ${startedAt}`).digest("hex").slice(0, 12);
  return (beginning ??= `${pid}-${start()}-`);
}

async function taken(lock: ProcessLock): Promise<(() => void) | undefined> {
  for (const untilMs = performance.now() + lockWaitMs; performance.now() < untilMs; await pause(5)) {
    const release = lock.tryTake();
    if (release !== undefined) return release;
  }
  lock.leave();
  return undefined;
}
