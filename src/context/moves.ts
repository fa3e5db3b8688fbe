/** Which of the files that are there is which of those that are gone. What two may be, neither is. */
import path from "node:path";
import {
  coarseMs,
  isSameStat,
  isTooYoung,
  lookAt,
  maxHashedBytes,
  touchedMsOf,
  type FileState,
} from "./file-state.ts";

export interface Gone {
  readonly file: string;
  /** How it was when it was looked at last. */
  readonly was: FileState;
}

type State = FileState & { readonly mayRead: boolean };

/** So many of them are read, and so many bytes: a look, and a prompt, waits for it. */
const mostRead = 500;
const mostReadBytes = 32 << 20;

export class Moves {
  readonly #gone: readonly Gone[];
  readonly #states: ReadonlyMap<string, State>;
  /** Where each of those that are gone is; where one is taken, it is nobody else's. */
  readonly #found = new Map<string, string>();
  readonly #taken = new Set<string>();
  /** Of those where several may be it: which. */
  readonly #open = new Map<Gone, ReadonlySet<string>>();
  readonly #hashes = new Map<string, string | undefined>();
  /** Sizes of which not all could be read: there may be more that hold the same. */
  readonly #unread = new Set<number>();
  #reads = mostRead;
  #bytes = mostReadBytes;

  constructor(gone: readonly Gone[], states: ReadonlyMap<string, State>) {
    [this.#gone, this.#states] = [gone, states];
  }

  async found(): Promise<ReadonlyMap<string, string>> {
    await this.#byInode();
    await this.#byContents();
    this.#byFolder();
    return this.#found;
  }

  /** A file that was only given another name still has its inode and time; an inode may be given to another file. */
  async #byInode(): Promise<void> {
    const places = groups([...this.#states.keys()], (file) => this.#states.get(file)?.inode);
    for (const gone of groups(this.#gone, ({ was }) => was.inode).values()) {
      const same: string[] = [];
      const [first] = gone;
      if (first === undefined) continue;
      for (const file of places.get(first.was.inode) ?? [])
        if (await this.#isIt(first.was, file)) same.push(file);
      this.#claim(gone, same);
    }
  }

  async #isIt(was: FileState, file: string): Promise<boolean> {
    const state = this.#states.get(file);
    if (state === undefined || state.size !== was.size || state.mtimeNs !== was.mtimeNs) return false;
    // Its folder was moved, and with it all that is in it: nothing has happened to the file itself.
    if (isSameStat(was, state) && !isTooYoung(was)) return true;
    if (was.sha256 === undefined || !state.mayRead) return true;
    return (await this.#hashOf(file, state)) === was.sha256;
  }

  /** Copied and deleted, or brought by version control. An empty file is like any other. */
  async #byContents(): Promise<void> {
    const left = this.#gone.filter((gone) => !this.#found.has(gone.file) && !this.#open.has(gone));
    const wanted = groups(left, ({ was }) => was.sha256);
    const sinceMs = new Map<number, number>();
    for (const { was } of left)
      sinceMs.set(was.size, Math.min(sinceMs.get(was.size) ?? Infinity, was.atMs - coarseMs));
    const places = new Map<string, string[]>();
    for (const [file, state] of this.#states) {
      if (this.#taken.has(file) || !(touchedMsOf(state) >= (sinceMs.get(state.size) ?? Infinity))) continue;
      const hash = state.mayRead ? await this.#hashOf(file, state) : undefined;
      if (hash === undefined || !wanted.has(hash)) continue;
      const same = places.get(hash);
      if (same === undefined) places.set(hash, [file]);
      else same.push(file);
    }
    for (const [hash, gone] of wanted) {
      const [one] = gone;
      const size = one?.was.size ?? 0;
      this.#claim(gone, places.get(hash) ?? [], size > 0 && !this.#unread.has(size));
    }
  }

  /** @param isSure that one place is the only one */
  #claim(gone: readonly Gone[], places: readonly string[], isSure = true): void {
    const [[one], [place]] = [gone, places];
    if (one === undefined || place === undefined) return;
    if (isSure && gone.length === 1 && places.length === 1) return this.#take(one.file, place);
    const open = new Set(places);
    for (const each of gone) this.#open.set(each, open);
  }

  #take(file: string, place: string): void {
    this.#found.set(file, place);
    this.#taken.add(place);
  }

  /** Where others of its folder have gone, and all to one place, it is there if it is like what is there. */
  #byFolder(): void {
    const folders = this.#movedFolders();
    const wanted = new Map<string, string | undefined>();
    for (const [{ file }, open] of this.#open) {
      const place = placeIn(folders, file);
      if (place === undefined || !open.has(place) || this.#taken.has(place)) continue;
      wanted.set(place, wanted.has(place) ? undefined : file);
    }
    for (const [place, file] of wanted) if (file !== undefined) this.#take(file, place);
  }

  /** Undefined for one whose files have gone to several. */
  #movedFolders(): ReadonlyMap<string, string | undefined> {
    const folders = new Map<string, string | undefined>();
    for (const [file, place] of this.#found) {
      if (path.basename(file) !== path.basename(place)) continue;
      const [from, to] = [path.dirname(file), path.dirname(place)];
      if (from !== to) folders.set(from, !folders.has(from) || folders.get(from) === to ? to : undefined);
    }
    return folders;
  }

  async #hashOf(file: string, { size }: State): Promise<string | undefined> {
    if (this.#hashes.has(file)) return this.#hashes.get(file);
    if (size > maxHashedBytes || this.#reads <= 0 || this.#bytes < size) {
      this.#unread.add(size);
      return undefined;
    }
    this.#reads -= 1;
    this.#bytes -= size;
    const look = await lookAt(file);
    const hash = typeof look === "object" ? look.sha256 : undefined;
    this.#hashes.set(file, hash);
    return hash;
  }
}

function placeIn(folders: ReadonlyMap<string, string | undefined>, file: string): string | undefined {
  for (let step = path.dirname(file); ; step = path.dirname(step)) {
    const to = folders.get(step);
    if (to !== undefined) return path.join(to, path.relative(step, file));
    if (folders.has(step) || step === path.dirname(step)) return undefined;
  }
}

function groups<T>(all: readonly T[], keyOf: (each: T) => string | undefined): ReadonlyMap<string, T[]> {
  const found = new Map<string, T[]>();
  for (const each of all) {
    const key = keyOf(each);
    if (key === undefined) continue;
    const group = found.get(key);
    if (group === undefined) found.set(key, [each]);
    else group.push(each);
  }
  return found;
}
