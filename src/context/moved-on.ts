/** Files that are no longer what a session's agent has seen of them. */
import { realpath } from "node:fs/promises";
import path from "node:path";
import { lookAt } from "./file-state.ts";
import { looksSecret } from "./landmarks.ts";
import type { ToldFile } from "./told-files.ts";

export interface MovedOn {
  readonly path: string;
  /** What the agent did with it last. */
  readonly how: ToldFile["how"];
  /**
   * `unknown`: it is there, but it cannot be told whether it has changed: the agent was shown a part of it or nobody saw what,
   * it lies outside of the session's folders, looks secret, is huge, or cannot be read.
   */
  readonly what: "changed" | "deleted" | "unknown" | "same";
}

/** So many files are looked at at once. */
const atOnce = 16;

/** In the order in which they were told of. @param roots folders outside of which nothing is read */
export async function movedOn(
  told: ReadonlyMap<string, ToldFile>,
  roots: readonly string[],
): Promise<readonly MovedOn[]> {
  const all = [...told];
  // A link leads where it leads: what counts is where the file is.
  const within = [...roots, ...(await Promise.all(roots.map(realOf)))];
  const found: MovedOn[] = [];
  for (let from = 0; from < all.length; from += atOnce) {
    const some = all.slice(from, from + atOnce);
    found.push(...(await Promise.all(some.map(([file, each]) => lookedAt(file, each, within)))));
  }
  return found;
}

async function lookedAt(file: string, { how, sha256 }: ToldFile, roots: readonly string[]): Promise<MovedOn> {
  const is = (what: MovedOn["what"]): MovedOn => ({ path: file, how, what });
  if (!isWithin(file, roots) || looksSecret(file)) return is("unknown");
  if (!isWithin(await realOf(file), roots)) return is("unknown");
  const look = await lookAt(file);
  if (look === "absent") return is("deleted");
  if (look === "unknown" || look.sha256 === undefined || sha256 === undefined) return is("unknown");
  return is(look.sha256 === sha256 ? "same" : "changed");
}

/** Itself where it is not there. */
function realOf(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}

function isWithin(file: string, roots: readonly string[]): boolean {
  if (!path.isAbsolute(file)) return false;
  return roots.some((root) => {
    const below = path.relative(root, file);
    return below !== "" && below !== ".." && !below.startsWith(`..${path.sep}`) && !path.isAbsolute(below);
  });
}
