/** One folder is one folder, however it is spelled. */
import { realpathSync } from "node:fs";
import path from "node:path";

/**
 * The spelling by which folders are kept and compared: absolute, without a slash at its end, links followed as far as
 * it exists, whether its characters are composed (NFC) or not (NFD, as macOS gives them), and on Windows with a
 * capital drive letter and backslashes; a path of Windows under WSL is the mount of its drive.
 */
export function folderOf(given: string, platform: NodeJS.Platform = process.platform): string {
  return followed(plainFolder(given, platform), platform === "win32" ? path.win32 : path.posix);
}

/** The same without a look at the disk: links stay as they are. */
export function plainFolder(given: string, platform: NodeJS.Platform = process.platform): string {
  return platform === "win32" ? windowsFolder(given) : unixFolder(given, platform);
}

/** A path of Windows as WSL has it; any other as it is. */
export function ownSpelling(given: string, platform: NodeJS.Platform = process.platform): string {
  const isOwn = platform === "win32" || path.posix.isAbsolute(given);
  return isOwn ? given : plainFolder(given, platform);
}

/** Whether it names the same folder whoever asks, and wherever they are. */
export function isAbsoluteFolder(given: string, platform: NodeJS.Platform = process.platform): boolean {
  if (platform === "win32") return path.win32.isAbsolute(given);
  return path.posix.isAbsolute(given) || plainFolder(given, platform) !== path.posix.resolve(given);
}

export function isSameFolder(a: string, b: string): boolean {
  return a === b || folderOf(a) === folderOf(b);
}

function windowsFolder(given: string): string {
  const resolved = path.win32.resolve(given.replaceAll("/", "\\"));
  return resolved.replace(/^[a-z]:/, (drive) => drive.toUpperCase());
}

/** `C:\Users\me` and `C:/Users/me` reach a Linux process only under WSL, which mounts drives below /mnt. */
function unixFolder(given: string, platform: NodeJS.Platform): string {
  const [, drive, rest = ""] = /^([A-Za-z]):[\\/](.*)$/s.exec(given) ?? [];
  if (drive === undefined || platform !== "linux") return path.posix.resolve(given);
  return path.posix.resolve(`/mnt/${drive.toLowerCase()}/${rest.replaceAll("\\", "/")}`);
}

/** The real path of what is there, or of the nearest parent that is, and the rest behind it. */
function followed(folder: string, paths: path.PlatformPath): string {
  for (const spelling of [folder, folder.normalize("NFC"), folder.normalize("NFD")]) {
    const real = realPath(spelling);
    if (real !== undefined) return real;
  }
  const parent = paths.dirname(folder);
  if (parent === folder) return folder;
  return paths.join(followed(parent, paths), paths.basename(folder).normalize("NFC"));
}

function realPath(folder: string): string | undefined {
  try {
    return realpathSync.native(folder);
  } catch {
    return undefined;
  }
}

/** Whether a folder is `outer`, or lies in it. */
export function isWithin(folder: string, outer: string): boolean {
  const between = path.relative(folderOf(outer), folderOf(folder));
  return between === "" || (!/^\.\.(?:[\\/]|$)/.test(between) && !path.isAbsolute(between));
}
