/** What has become of files and of version control, in words for people and agents. */
import path from "node:path";
import type { GitSince } from "./git-since.ts";
import type { FileSince } from "./since.ts";

/** Below the folder where it is in it. What would break a line is spelled out. */
export function nameBelow(file: string, folder: string): string {
  const below = path.relative(folder, file);
  const isOut = below === "" || below === ".." || below.startsWith(`..${path.sep}`) || path.isAbsolute(below);
  return (isOut ? file : below).replace(/[\n\r\t]/g, (each) => spelled[each] ?? each);
}

/** In a name they are no space: whoever reads it is to find the file. */
const spelled: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** What became of it, in a word or two. */
export function whatText({ what, mayDiffer }: Pick<FileSince, "what" | "mayDiffer">): string {
  return mayDiffer === true ? "perhaps changed" : what;
}

/** `changed  src/a.ts (the agent wrote it)`. What is in it came from outside: who shows it escapes it. */
export function sinceText({ path: file, how, what, to, why, buffer }: FileSince, folder: string): string {
  const name = nameBelow(file, folder);
  const place = to === undefined ? name : `${name} → ${nameBelow(to, folder)}`;
  const facts = [
    ...(how === "written" ? ["the agent wrote it"] : []),
    ...(why === undefined ? [] : [whyTexts[why]]),
    ...(buffer ? ["the agent saw what was not saved"] : []),
  ];
  return `${what.padEnd(8)} ${place}${facts.length === 0 ? "" : ` (${facts.join("; ")})`}`;
}

const whyTexts: Readonly<Record<NonNullable<FileSince["why"]>, string>> = {
  touched: "written to since; nobody saw what it had held",
  outside: "outside of the session's folders: not read",
  ignored: "ignored by version control: not read",
  secret: "looks secret: not read",
  huge: "too large: not read",
  unreadable: "cannot be read",
  unanswered: "its folder does not answer",
};

/** `Branch main → topic; 3 commits since`. */
export function gitText({ from, to, isSwitched, commits }: GitSince): string {
  const branch = isSwitched ? [`Branch ${branchOf(from.branch)} → ${branchOf(to.branch)}`] : [];
  return [...branch, ...headTexts(from.head !== to.head, commits)].join("; ");
}

function branchOf(branch: string | undefined): string {
  return branch ?? "none";
}

function headTexts(hasMoved: boolean, commits: number | undefined): string[] {
  if (!hasMoved) return [];
  if (commits === undefined) return ["another commit; how many are between cannot be told"];
  // Back to an earlier one, or to one that lacks some.
  if (commits === 0) return ["an earlier commit"];
  return [`${commits} commit${commits === 1 ? "" : "s"} since`];
}
