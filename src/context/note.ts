/** The note that an agent is given before a prompt when its files have changed by other hands: paths and what happened, no contents. */
import { visibleLine } from "../base/visible.ts";
import type { GitSince } from "./git-since.ts";
import type { FileSince } from "./since.ts";
import { gitText, nameBelow } from "./words.ts";

export interface News {
  readonly since: FileSince;
}

/** So many are named; of the others it is said how many they are. */
const mostNamed = 30;
const longestName = 300;

/** Lines of text; what stands in a path is escaped and cannot end one. */
export function noteText(files: readonly FileSince[], git: GitSince | undefined, folder: string): string {
  const said =
    git === undefined ? [] : [`- version control: ${visibleLine(gitText(git)).slice(0, longestName)}`];
  const lines = files.slice(0, mostNamed).map((file) => `- ${lineOf(file, folder)}`);
  const more = files.length - mostNamed;
  return [...said, ...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join("\n");
}

function lineOf({ path, what, to, mayDiffer }: FileSince, folder: string): string {
  const name = nameIn(path, folder);
  switch (what) {
    case "renamed":
      return `renamed: ${name} → ${nameIn(to ?? "", folder)}`;
    case "same":
      return `as you had it again: ${name}`;
    case "unknown":
      return `${mayDiffer === true ? "perhaps changed" : "cannot be told"}: ${name}`;
    default:
      return `${what}: ${name}`;
  }
}

function nameIn(file: string, folder: string): string {
  return visibleLine(nameBelow(file, folder)).replaceAll("<", "\\u003c").slice(0, longestName);
}
