/** A walk through folders for files that have come there. Links are not followed: they lead out, or in circles. */
import { lstatSync, opendirSync, type Dirent } from "node:fs";
import { opendir } from "node:fs/promises";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { NearFolders } from "./near-folders.ts";

export interface Sought {
  readonly files: readonly string[];
  /** They were where they were until then. */
  readonly sinceMs: number;
}

/** So many names are looked at, and so many files of each kind told of. */
const mostNames = 100_000;
const mostFound = 2_000;
/** Folders that are read at once, and names of one. */
const atOnce = 8;
const bufferSize = 256;
/** Other sessions are not kept waiting for longer than this. */
const mostHeldMs = 1;
/** They are large, and hold nothing of a project: they come last. */
const lastNames = new Set(["node_modules", "target", "dist", "build", "out", ".venv", "venv", "vendor"]);

interface Folder {
  readonly place: string;
  /** Something may have come there since: no folder can get a file, or get elsewhere itself, and keep its time of change. */
  readonly isFresh: boolean;
  /** It may itself have got elsewhere, and all that is in it. */
  readonly isMoved: boolean;
  readonly isLast: boolean;
}

export class Walk {
  /** Fresh ones first, then others, then those that are large. */
  readonly #queues: readonly [Folder[], Folder[], Folder[]] = [[], [], []];
  readonly #seen: Set<string>;
  readonly #names: ReadonlySet<string>;
  readonly #were: ReadonlySet<string>;
  readonly #sinceMs: number;
  readonly #near: NearFolders;
  readonly #untilMs: number;
  readonly #found: readonly [same: string[], beside: string[], others: string[]] = [[], [], []];
  #left = mostNames;
  #heldMs = performance.now();

  constructor(starts: readonly string[], { files, sinceMs }: Sought, near: NearFolders, timeMs: number) {
    for (const place of starts) this.#queues[0].push({ place, isFresh: true, isMoved: false, isLast: false });
    this.#seen = new Set(starts);
    this.#names = new Set(files.map((file) => path.basename(file)));
    this.#were = new Set(files.map((file) => path.dirname(file)));
    [this.#sinceMs, this.#near, this.#untilMs] = [sinceMs, near, performance.now() + timeMs];
  }

  /** Those of the same name first, then those where one of them was, then others: both may be new at once. */
  found(): readonly string[] {
    return this.#found.flat().slice(0, mostFound);
  }

  async run(): Promise<void> {
    for (let some = this.#next(); some.length > 0 && this.#mayGoOn(); some = this.#next())
      await Promise.all(some.map((folder) => this.#read(folder)));
  }

  #next(): readonly Folder[] {
    const queue = this.#queues.find(({ length }) => length > 0);
    return queue?.splice(-atOnce) ?? [];
  }

  async #read(folder: Folder): Promise<void> {
    try {
      if (this.#near.has(folder.place)) return await this.#readNear(folder);
      for await (const entry of await opendir(folder.place, { bufferSize }))
        if (!this.#note(entry, folder)) return;
    } catch {
      // It went meanwhile, or is nobody's to look into.
    }
  }

  /** At once, which takes a quarter of the time. */
  async #readNear(folder: Folder): Promise<void> {
    const entries = opendirSync(folder.place, { bufferSize });
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
        if (!this.#note(entry, folder)) return;
        if (performance.now() - this.#heldMs < mostHeldMs) continue;
        await nextTurn();
        this.#heldMs = performance.now();
      }
    } finally {
      entries.closeSync();
    }
  }

  /** Whether there may be more. */
  #note(entry: Dirent, folder: Folder): boolean {
    this.#left -= 1;
    const { name } = entry;
    if (entry.isDirectory()) this.#noteFolder(path.join(folder.place, name), folder);
    else if (entry.isFile() && folder.isFresh) this.#noteFile(name, folder.place);
    return this.#mayGoOn();
  }

  #noteFolder(place: string, above: Folder): void {
    const name = path.basename(place);
    if (name === ".git" || this.#seen.has(place) || this.#near.isElsewhere(place)) return;
    this.#seen.add(place);
    const isMoved = above.isMoved || this.#isTouched(place);
    const isLast = above.isLast || lastNames.has(name);
    const queue = this.#queues[isLast ? 2 : isMoved ? 0 : 1];
    queue.push({ place, isFresh: isMoved, isMoved, isLast });
  }

  /** Also where that cannot be told at once. */
  #isTouched(place: string): boolean {
    if (!this.#near.has(place)) return true;
    try {
      return lstatSync(place).ctimeMs >= this.#sinceMs;
    } catch {
      return false;
    }
  }

  #noteFile(name: string, folder: string): void {
    const [same, beside, others] = this.#found;
    const list = this.#names.has(name) ? same : this.#were.has(folder) ? beside : others;
    if (list.length < mostFound) list.push(path.join(folder, name));
  }

  #mayGoOn(): boolean {
    return this.#left > 0 && performance.now() < this.#untilMs;
  }
}
