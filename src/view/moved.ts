/** Files that have moved on since the agent saw them. */
import { visibleLine } from "../base/visible.ts";
import { h } from "./elements.ts";

export interface Changes {
  readonly files: readonly {
    readonly path: string;
    readonly what: string;
    readonly to?: string;
    readonly mayDiffer?: true;
  }[];
  readonly git?: { readonly isSwitched: boolean; readonly commits?: number };
}

/** What nobody can tell, and was not touched either, is no news. */
export function movedOn({ files, git }: Changes, cwd: string): HTMLElement | undefined {
  const known = files.filter(({ what, mayDiffer }) => what !== "unknown" || mayDiffer === true);
  const facts = [
    ...(git?.isSwitched === true ? ["another branch"] : []),
    ...(git?.commits === undefined || git.commits === 0 ? [] : [counted(git.commits, "new commit")]),
    ...(known.length === 0 ? [] : [counted(known.length, "file")]),
  ];
  if (facts.length === 0) return undefined;
  const rows = known.slice(0, 200).map(({ path, what, to, mayDiffer }) => {
    const word = mayDiffer === true ? "perhaps changed" : what;
    const where = to === undefined ? "" : ` to ${within(to, cwd)}`;
    return h("li", {}, h("bdi", { class: "path" }, within(path, cwd)), ` ${visibleLine(word)}${where}`);
  });
  return h(
    "details",
    { class: "forks moved" },
    h("summary", {}, `⚠ Moved on since: ${facts.join(", ")}`),
    h("ul", {}, rows),
  );
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function within(path: string, cwd: string): string {
  return visibleLine(path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path);
}
