/** Folders whose files can be asked for at once, because they lie on this machine's own disks: those of a network may hang. */
import { lstat, stat, statfs } from "node:fs/promises";
import path from "node:path";

/** Linux's numbers of file systems that are its own: ext, xfs, btrfs, tmpfs, overlayfs, zfs, f2fs. */
const near = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010]);
/** So many folders are asked for at once. */
const atOnce = 16;

/** Those of the folders that are near: between each of them and its root nothing is a link, or mounted from elsewhere. */
export async function nearFolders(
  roots: readonly string[],
  folders: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const root of roots) {
    if (!(await isNear(root))) continue;
    const { dev } = await stat(root);
    const own = [...folders].filter((folder) => folder === root || isBelow(folder, root));
    const near = await nearOf(new Set(own.flatMap((folder) => stepsTo(folder, root))), dev);
    for (const folder of own) if (stepsTo(folder, root).every((step) => near.has(step))) found.add(folder);
  }
  return found;
}

async function nearOf(steps: ReadonlySet<string>, dev: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const all = [...steps];
  for (let from = 0; from < all.length; from += atOnce)
    await Promise.all(
      all.slice(from, from + atOnce).map(async (step) => {
        const facts = await lstat(step).catch(() => undefined);
        if (facts?.isDirectory() === true && facts.dev === dev) found.add(step);
      }),
    );
  return found;
}

/** Every folder from below the root down to this one. */
function stepsTo(folder: string, root: string): readonly string[] {
  const steps: string[] = [];
  for (let step = folder; step !== root && isBelow(step, root); step = path.dirname(step)) steps.push(step);
  return steps;
}

function isBelow(folder: string, root: string): boolean {
  return folder.startsWith(root.endsWith(path.sep) ? root : root + path.sep);
}

async function isNear(root: string): Promise<boolean> {
  if (process.platform !== "linux") return false;
  return near.has((await statfs(root).catch(() => undefined))?.type ?? 0);
}

/** The folders of files. */
export function foldersOf(files: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of files) folders.add(path.dirname(file));
  return folders;
}
