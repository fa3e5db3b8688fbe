/**
 * What was discovered, kept for some minutes: a file for each folder, in the user's cache folder. Any of it may go at any
 * time; it is discovered again.
 */
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory } from "../base/disk.ts";
import { reasonOf, SidecarError } from "../base/errors.ts";
import { isRecord, objectIn } from "../base/json.ts";
import { isFolder } from "./folders.ts";
import { gitHeadOf } from "./git-head.ts";
import { placeOf } from "./sign-of-life.ts";
import { discover, type Discovery, type DiscoveryOptions } from "./discovery.ts";

export interface CacheLimits {
  /** Older ones are discovered again. Default 10 min. */
  readonly ttlMs?: number;
  /** Folders that are kept, and their bytes; those used longest ago go first. Default 500 and 32 MiB. */
  readonly mostFolders?: number;
  readonly mostBytes?: number;
}

export interface CacheFigures {
  readonly hits: number;
  readonly misses: number;
}

export interface CacheRoom {
  readonly folders: number;
  readonly bytes: number;
}

/** Of another form, or of one to come, is discovered again. */
const form = 1;

/** The folder is gone, or is at another branch or commit, which has other files: to see that takes a moment only. */
async function hasMoved({ folder, root, versionControl: was }: Discovery): Promise<boolean> {
  const [isThere, now] = await Promise.all([isFolder(folder), gitHeadOf(root)]);
  if (!isThere) return true;
  return now !== undefined && (now.branch !== was?.branch || now.head !== was?.head);
}

export class DiscoveryCache {
  readonly #place: string;
  readonly #ttlMs: number;
  readonly #mostFolders: number;
  readonly #mostBytes: number;
  /** Two that ask for a folder at once are given one answer. */
  readonly #asked = new Map<string, Promise<Discovery | undefined>>();
  #hits = 0;
  #misses = 0;

  /** @param cacheFolder the program's own in the user's cache folder */
  constructor(cacheFolder: string, limits: CacheLimits = {}) {
    const { ttlMs = 600_000, mostFolders = 500, mostBytes = 32 << 20 } = limits;
    this.#place = join(cacheFolder, "context");
    [this.#ttlMs, this.#mostFolders, this.#mostBytes] = [ttlMs, mostFolders, mostBytes];
  }

  get figures(): CacheFigures {
    return { hits: this.#hits, misses: this.#misses };
  }

  /** Undefined for a folder that is not there, or does not answer within a second. */
  async of(folder: string, options?: DiscoveryOptions): Promise<Discovery | undefined> {
    if ((await placeOf(folder)) === undefined) return undefined;
    const kept = await this.#kept(folder);
    if (kept !== undefined) {
      this.#hits += 1;
      return kept;
    }
    this.#misses += 1;
    return this.refresh(folder, options);
  }

  /** As it is now, whatever is kept. */
  refresh(folder: string, options?: DiscoveryOptions): Promise<Discovery | undefined> {
    const asked = this.#asked.get(folder) ?? this.#discovered(folder, options);
    this.#asked.set(folder, asked);
    return asked;
  }

  /** The same, for who asks later. Errors: `FILE_FAILED` where it cannot be kept. */
  async warm(folder: string, options?: DiscoveryOptions): Promise<Discovery | undefined> {
    const found = await discover(folder, options);
    const failure = found === undefined ? undefined : await this.#keep(found);
    if (failure === undefined) return found;
    throw new SidecarError(
      "FILE_FAILED",
      `What ${folder} is cannot be kept in ${this.#place}: ${reasonOf(failure.error)}; make that a folder that you may write to, or set XDG_CACHE_HOME`,
      { cause: failure.error },
    );
  }

  /** What of one folder is kept goes. Returns its bytes; undefined where nothing was. */
  async forget(folder: string): Promise<number | undefined> {
    const file = this.#fileOf(folder);
    const bytes = await stat(file).then(
      ({ size }) => size,
      () => undefined,
    );
    // Where nothing is, nothing can be in the way.
    if (bytes !== undefined) await rm(file, { force: true });
    return bytes;
  }

  /** Makes room, or lets all go. Returns what went. */
  async collect(which: "old" | "all" = "old"): Promise<CacheRoom> {
    const files = await this.#files();
    let [folders, bytes] = [files.length, files.reduce((sum, each) => sum + each.bytes, 0)];
    let [gone, goneBytes] = [0, 0];
    // Those used longest ago first.
    for (const each of files.sort((a, b) => a.usedMs - b.usedMs)) {
      const isOver = folders > this.#mostFolders || bytes > this.#mostBytes;
      const isOld = Date.now() - each.writtenMs > this.#ttlMs;
      if (which === "old" && !isOver && !isOld) continue;
      await rm(each.path, { force: true });
      [folders, bytes, gone, goneBytes] = [folders - 1, bytes - each.bytes, gone + 1, goneBytes + each.bytes];
    }
    return { folders: gone, bytes: goneBytes };
  }

  async #discovered(folder: string, options?: DiscoveryOptions): Promise<Discovery | undefined> {
    try {
      const found = await discover(folder, options);
      if (found === undefined) await this.forget(folder);
      else await this.#keep(found);
      return found;
    } finally {
      this.#asked.delete(folder);
    }
  }

  async #kept(folder: string): Promise<Discovery | undefined> {
    const path = this.#fileOf(folder);
    try {
      const { form: ofForm, found } = objectIn(await readFile(path, "utf8")) ?? {};
      if (ofForm !== form || !isRecord(found)) return undefined;
      const discovery = found as unknown as Discovery;
      const ageMs = Date.now() - discovery.atMs;
      // A clock that was set back makes nothing young for ever.
      if (discovery.folder !== folder || !(ageMs >= 0 && ageMs <= this.#ttlMs)) return undefined;
      if (await hasMoved(discovery)) return undefined;
      const { mtime } = await stat(path);
      await utimes(path, new Date(), mtime);
      return discovery;
    } catch {
      return undefined;
    }
  }

  /** One that cannot be kept is discovered again next time. Returns why it was not. */
  async #keep(found: Discovery): Promise<{ readonly error: unknown } | undefined> {
    const path = this.#fileOf(found.folder);
    const beside = `${path}.${randomBytes(6).toString("hex")}.part`;
    try {
      makeDirectory(this.#place);
      await writeFile(beside, JSON.stringify({ form, found }), { mode: 0o600 });
      await rename(beside, path);
      if (this.#misses % 50 === 1) await this.collect();
      return undefined;
    } catch (error) {
      await rm(beside, { force: true }).catch(() => undefined);
      return { error };
    }
  }

  async #files() {
    const names = await readdir(this.#place).catch(() => []);
    const files: { path: string; bytes: number; usedMs: number; writtenMs: number }[] = [];
    for (const name of names) {
      const path = join(this.#place, name);
      // Another process may have taken it away.
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      const { size, atimeMs, mtimeMs } = found;
      files.push({ path, bytes: size, usedMs: Math.max(atimeMs, mtimeMs), writtenMs: mtimeMs });
    }
    return files;
  }

  #fileOf(folder: string): string {
    return join(this.#place, `${createHash("sha256").update(folder).digest("hex").slice(0, 32)}.json`);
  }
}
