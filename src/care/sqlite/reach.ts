/** Which pages the trees lead to, and which trees are broken, so that pages of theirs are found by no way. */
import { nodeOn, rowsOn, type Node } from "./cells.ts";
import type { PageFile } from "./page-file.ts";

interface Reach {
  readonly isReached: (pageNo: number) => boolean;
  readonly isFree: (pageNo: number) => boolean;
  /** Tables and indexes that lead to a page which is not there, or is not what it should be. */
  readonly broken: ReadonlySet<string>;
  /** Every page that holds nothing any more is known; else one that no tree leads to may be an old one. */
  readonly knowsFree: boolean;
}

export function reachOf(file: PageFile): Reach {
  const free = file.free();
  const reached = new Uint8Array(file.count + 1);
  const broken = new Set<string>();
  for (const [name, root] of rootsIn(file, reached)) {
    if (!walk(file, root, reached)) broken.add(name);
  }
  return {
    isReached: (pageNo) => reached[pageNo] === 1,
    isFree: (pageNo) => free.pages.has(pageNo),
    broken,
    knowsFree: free.isWhole,
  };
}

/** Names of tables and indexes with their first pages, from the schema, whose tree begins on page 1. */
function rootsIn(file: PageFile, reached: Uint8Array): [string, number][] {
  const roots: [string, number][] = [];
  walk(file, 1, reached, (page, node) => {
    if (!node.isLeaf) return;
    for (const { row } of rowsOn(page, node, file)) {
      const [, name, , root] = row;
      if (typeof name === "string" && typeof root === "number" && root > 0) roots.push([name, root]);
    }
  });
  return roots;
}

/** Marks all that `root` leads to. False when some of it makes no sense. */
function walk(
  file: PageFile,
  root: number,
  reached: Uint8Array,
  visit: (page: Buffer, node: Node) => void = () => undefined,
): boolean {
  let isWhole = true;
  const next = [root];
  for (let no = next.pop(); no !== undefined; no = next.pop()) {
    const page = file.page(no);
    const node = page && reached[no] === 0 ? nodeOn(page, no, file) : undefined;
    if (page === undefined || node === undefined) {
      isWhole = false;
      continue;
    }
    reached[no] = 1;
    visit(page, node);
    isWhole &&= node.isSound;
    next.push(...node.children);
  }
  return isWhole;
}
