/** Folders whose files can be asked for at once, because they lie on this machine's own disks: those of a network may hang. */
import { realpath, stat, statfs } from "node:fs/promises";
import path from "node:path";

/** Linux's numbers of file systems that are its own: ext, xfs, btrfs, tmpfs, overlayfs, zfs, f2fs. */
const near = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010]);
/** So many folders are asked for at once. */
const atOnce = 16;

/** Where each of the folders is that is near and answers. */
export async function nearFolders(
  roots: readonly string[],
  folders: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const devices = new Set<number>();
  for (const root of roots) if (await isNear(root)) devices.add((await stat(root)).dev);
  if (devices.size === 0) return found;
  const all = [...folders];
  for (let from = 0; from < all.length; from += atOnce)
    await Promise.all(
      all.slice(from, from + atOnce).map(async (folder) => {
        const [real, facts] = await Promise.all([realOf(folder), stat(folder).catch(() => undefined)]);
        // Another file system may be mounted below.
        if (real !== undefined && facts !== undefined && devices.has(facts.dev)) found.set(folder, real);
      }),
    );
  return found;
}

async function isNear(root: string): Promise<boolean> {
  if (process.platform !== "linux") return false;
  return near.has((await statfs(root).catch(() => undefined))?.type ?? 0);
}

function realOf(folder: string): Promise<string | undefined> {
  return realpath(folder).catch(() => undefined);
}

/** The folders of files. */
export function foldersOf(files: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of files) folders.add(path.dirname(file));
  return folders;
}
