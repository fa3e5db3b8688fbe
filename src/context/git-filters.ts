/**
 * Git compares what has other times with what it has stored, and starts a repository's own programs for that (filters, such as
 * those of git-crypt, which its `.gitattributes` name). Whoever made the folder has chosen them.
 */
import { askGit } from "./git.ts";

const filterName = /^filter\.([^]+)\.(?:clean|process|required)$/i;
/** Of whom a setting is that the folder itself brings. */
const ownScopes: ReadonlySet<string> = new Set(["local", "worktree"]);
/** More of them are no settings of anybody's project. */
const mostFilters = 100;

/**
 * Arguments with which git starts none of them; those of the user's own settings stay. What a filter would have changed counts
 * as it stands in the folder. Undefined where that cannot be said.
 */
export async function withoutFilters(root: string, timeMs: number): Promise<readonly string[] | undefined> {
  const keys = await ownKeys(root, timeMs);
  if (keys === undefined) return undefined;
  const names = new Set<string>();
  for (const key of keys) {
    const [, name] = filterName.exec(key) ?? [];
    if (name !== undefined) names.add(name);
  }
  // In an argument the key ends at the first of these.
  if (names.size > mostFilters || [...names].some((name) => name.includes("="))) return undefined;
  return [...names].flatMap((name) =>
    ["clean=", "process=", "required=false"].flatMap((setting) => ["-c", `filter.${name}.${setting}`]),
  );
}

/** Keys of the settings that the repository has. Undefined where git does not say. */
async function ownKeys(root: string, timeMs: number): Promise<readonly string[] | undefined> {
  const untilMs = performance.now() + timeMs;
  const args = ["config", "--list", "--name-only", "-z"];
  const said = await askGit(root, [...args, "--show-scope"], timeMs);
  if (said === undefined) {
    // Older than 2.26, it does not say whose they are: all count.
    const all = await askGit(root, args, Math.max(1, untilMs - performance.now()));
    return all?.output.split("\0");
  }
  const parts = said.output.split("\0");
  return parts.filter((_, at) => at % 2 === 1 && ownScopes.has(parts[at - 1] ?? ""));
}
