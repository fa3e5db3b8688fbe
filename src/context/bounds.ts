/** What of a session's files may be looked at, and which folders answer at all. */
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { within } from "../base/time.ts";
import { glanceAt, type FileLook } from "./file-state.ts";
import { askGit } from "./git.ts";
import { looksSecret } from "./landmarks.ts";
import { foldersOf, nearFolders } from "./near-folders.ts";

/**
 * Why a file is named and not read: it lies outside of the session's folders, git ignores it, it looks as if it held secrets,
 * it is huge, it cannot be read, or its folder does not answer.
 */
export type Unread = "outside" | "ignored" | "secret" | "huge" | "unreadable" | "unanswered";

/** A network folder that answers later than this is left alone. */
const answerMs = 1_000;
/** Then nobody asks it again for so long: every question would hold one of the few threads that ask. */
const leaveAloneMs = 60_000;

/** Folders that did not answer, and when that was; all sessions of a process learn from one. */
const silent = new Map<string, number>();

type Ask = (root: string) => Promise<unknown>;

export class Bounds {
  readonly #roots: readonly string[];
  readonly #within: readonly string[];
  readonly #answering: ReadonlySet<string>;
  #near: ReadonlySet<string> = new Set();

  private constructor(roots: readonly string[], real: readonly string[], answering: ReadonlySet<string>) {
    this.#roots = roots;
    this.#within = [...roots, ...real];
    this.#answering = answering;
  }

  /** @param roots the session's folders @param ask how a folder is asked for a sign of life */
  static async of(roots: readonly string[], ask: Ask = stat): Promise<Bounds> {
    const answering = new Set<string>();
    for (const root of new Set(roots)) if (await answers(root, ask)) answering.add(root);
    const real = await Promise.all([...answering].map(realOf));
    return new Bounds(roots, real, answering);
  }

  answers(root: string): boolean {
    return this.#answering.has(root);
  }

  /** Undefined where it may be read. A link leads where it leads: what counts is where the file is. */
  async unread(file: string): Promise<Unread | undefined> {
    const root = this.#roots.find((each) => isWithin(file, [each]));
    if (root === undefined && !isWithin(file, this.#within)) return "outside";
    if (root !== undefined && !this.#answering.has(root)) return "unanswered";
    if (looksSecret(file)) return "secret";
    const real = await realOf(file);
    if (looksSecret(real)) return "secret";
    return isWithin(real, this.#within) ? undefined : "outside";
  }

  /** From here on those of the files are asked for at once that lie on this machine's own disks, where that may be. */
  async prepare(files: Iterable<string>): Promise<void> {
    const inside = new Set([...foldersOf(files)].filter((folder) => this.#isInside(folder)));
    this.#near = await nearFolders([...this.#answering], inside);
  }

  /** How it is now, by its name alone; undefined where it is to be asked for in another way. */
  glance(file: string): FileLook | undefined {
    if (!this.#near.has(path.dirname(file)) || looksSecret(file)) return undefined;
    return glanceAt(file);
  }

  #isInside(folder: string): boolean {
    return !looksSecret(`${folder}/`) && isWithin(path.join(folder, "x"), this.#within);
  }

  /** Those of the files that git ignores. */
  async ignored(files: readonly string[], timeMs: number): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const root of this.#answering) {
      const own = files.filter((file) => isWithin(file, [root]) && !file.includes("\0"));
      if (own.length === 0) continue;
      const said = await askGit(root, ["check-ignore", "-z", "--stdin"], timeMs, `${own.join("\0")}\0`);
      for (const file of said?.output.split("\0") ?? []) if (file !== "") found.add(file);
    }
    return found;
  }
}

/** Also of a folder that is gone: that is an answer. */
async function answers(root: string, ask: Ask): Promise<boolean> {
  const sinceMs = silent.get(root);
  if (sinceMs !== undefined && performance.now() - sinceMs < leaveAloneMs) return false;
  const asked = ask(root).then(
    () => true,
    () => true,
  );
  const answered = (await within(asked, answerMs)) === true;
  if (answered) silent.delete(root);
  else silent.set(root, performance.now());
  return answered;
}

/** Itself where it is not there; of a file that is gone, where its folder is. */
async function realOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    const folder = await realpath(path.dirname(file)).catch(() => undefined);
    return folder === undefined ? file : path.join(folder, path.basename(file));
  }
}

export function isWithin(file: string, roots: readonly string[]): boolean {
  if (!path.isAbsolute(file)) return false;
  return roots.some((root) => {
    const below = path.relative(root, file);
    return below !== "" && below !== ".." && !below.startsWith(`..${path.sep}`) && !path.isAbsolute(below);
  });
}
