/** What of a session's files may be looked at, and which folders answer at all. */
import path from "node:path";
import { ignoredOf } from "./ignored.ts";
import { looksSecret } from "./landmarks.ts";
import { NearFolders } from "./near-folders.ts";
import { placeOf, realOf, type Ask } from "./sign-of-life.ts";

/**
 * Why a file is named and not read: it lies outside of the session's folders, git ignores it, it looks as if it held secrets,
 * it is huge, it cannot be read, or its folder does not answer.
 */
export type Unread = "outside" | "ignored" | "secret" | "huge" | "unreadable" | "unanswered";

export class Bounds {
  readonly #roots: readonly string[];
  readonly #within: readonly string[];
  /** Where each of the folders that answer leads. */
  readonly #places: ReadonlyMap<string, string>;
  readonly #near: NearFolders;
  readonly #ask: Ask;
  /** Whether what is mounted within them answers. */
  readonly #mounts = new Map<string, Promise<boolean>>();

  private constructor(
    roots: readonly string[],
    real: ReadonlyMap<string, string>,
    ask: Ask,
    near: NearFolders,
  ) {
    [this.#roots, this.#ask, this.#near] = [roots, ask, near];
    this.#within = [...roots, ...real.values()];
    this.#places = real;
  }

  /**
   * @param roots the session's folders
   * @param ask how a folder is asked for a sign of life, and where it leads
   * @param mounts what kind of file system each mounted folder has; as the system says, unless given
   */
  static async of(
    roots: readonly string[],
    ask: Ask = realOf,
    mounts?: ReadonlyMap<string, string>,
  ): Promise<Bounds> {
    const asked = await Promise.all(
      [...new Set(roots)].map(async (root) => [root, await placeOf(root, ask)] as const),
    );
    const places = new Map(asked.flatMap(([root, place]) => (place === undefined ? [] : [[root, place]])));
    return new Bounds(roots, places, ask, new NearFolders(places, mounts));
  }

  answers(root: string): boolean {
    return this.#places.has(root);
  }

  /** The session's folders that do, by their names. */
  answering(): Iterable<string> {
    return this.#places.keys();
  }

  /** A folder of the session's, by its name and by where it is. */
  bothNames(folder: string): readonly string[] {
    return [folder, this.#places.get(folder) ?? folder];
  }

  /** A folder at or above one of the session's as the session would name it: its own may be reached through links. */
  async nameOf(root: string): Promise<string> {
    for (const [folder, place] of this.#places) {
      if (place === root) return folder;
      const below = path.sep + path.relative(root, place);
      if (folder === place || !isWithin(place, [root]) || !folder.endsWith(below)) continue;
      const name = folder.slice(0, -below.length);
      if ((await realOf(name)) === root) return name;
    }
    return root;
  }

  /** Undefined where it may be read. A link leads where it leads: what counts is where the file is. */
  async unread(file: string): Promise<Unread | undefined> {
    const root = this.#roots.find((each) => isWithin(file, [each]));
    if (root === undefined && !isWithin(file, this.#within)) return "outside";
    if (root !== undefined && !this.#places.has(root)) return "unanswered";
    if (looksSecret(file)) return "secret";
    if (!(await this.#isReached(file))) return "unanswered";
    const real = await realOf(file);
    if (looksSecret(real)) return "secret";
    return isWithin(real, this.#within) ? undefined : "outside";
  }

  /** Folders that lie on this machine's own disks. */
  near(): NearFolders {
    return this.#near;
  }

  /** Those of the files that git ignores. */
  async ignored(files: readonly string[], timeMs: number): Promise<ReadonlySet<string>> {
    const answering = [...this.#places.keys(), ...this.#places.values()];
    const asked: string[] = [];
    for (const file of files)
      if (isWithin(file, answering) && !file.includes("\0") && (await this.#isReached(file)))
        asked.push(file);
    return ignoredOf(asked, timeMs);
  }

  /** Not through what is mounted within a root, and does not answer: each file there would hold a thread. */
  async #isReached(file: string): Promise<boolean> {
    const mount = this.#near.mountAbove(file);
    if (mount === undefined) return true;
    const known = this.#mounts.get(mount) ?? placeOf(mount, this.#ask).then((place) => place !== undefined);
    this.#mounts.set(mount, known);
    return known;
  }

  /** By its name it is one of the session's, and a link that is in its way leads out. */
  leadsOut(file: string): boolean {
    return isWithin(file, this.#roots);
  }

  /** As the session names it, whose folders may be reached through links: agents may say where these lead. */
  ownName(said: string): string {
    const file = /(?:^|[/\\])\.\.(?:[/\\]|$)/.test(said) ? said : path.normalize(said);
    if (isWithin(file, this.#roots)) return file;
    for (const [root, place] of this.#places)
      if (isWithin(file, [place])) return path.join(root, path.relative(place, file));
    return said;
  }
}

export function isWithin(file: string, roots: readonly string[]): boolean {
  if (!path.isAbsolute(file)) return false;
  return roots.some((root) => {
    const below = path.relative(root, file);
    return below !== "" && below !== ".." && !below.startsWith(`..${path.sep}`) && !path.isAbsolute(below);
  });
}
