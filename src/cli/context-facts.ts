/** What the commands about projects share: the cache of what was seen, and how a project is shown. */
import { SidecarError } from "../base/errors.ts";
import { cacheFolderOf, surroundings } from "../config/paths.ts";
import type { Discovery } from "../context/discovery.ts";
import { DiscoveryCache } from "../context/discovery-cache.ts";
import type { Io } from "./command.ts";
import { homely } from "./folder-text.ts";
import { agoText, countText } from "./print.ts";

/** Errors: `CONFIG_INVALID` without a home. */
export function cacheOf({ env }: Io): DiscoveryCache {
  const folder = cacheFolderOf(surroundings(env));
  if (folder !== undefined) return new DiscoveryCache(folder);
  throw new SidecarError("CONFIG_INVALID", "There is no cache folder: set HOME or XDG_CACHE_HOME");
}

const mostShown = 12;
/** Who looked so short a time ago knows. */
const freshMs = 60_000;

export function factsOf(found: Discovery, io: Io): readonly (readonly [string, string | undefined])[] {
  const { folder, root, versionControl: control, languages, scripts, files, isCut, atMs } = found;
  return [
    ["folder", homely(folder, io)],
    ["root", root === folder ? undefined : homely(root, io)],
    ["version control", control && controlText(control)],
    ["remote", control?.remote],
    ["languages", some(languages.map(({ name, files: of }) => `${name} (${of})`))],
    ["manifests", some(found.manifests)],
    ["scripts", some(scripts.map(({ name }) => name))],
    ["instructions", some(found.instructions)],
    ["files", isCut ? `${files}, and more` : String(files)],
    ["looked at", Date.now() - atMs < freshMs ? undefined : `${agoText(atMs, Date.now())} (--refresh: now)`],
  ];
}

function controlText({ kind, branch, head, dirty }: NonNullable<Discovery["versionControl"]>): string {
  const at = branch ?? (head === undefined ? undefined : "no branch");
  const commit = head === undefined ? undefined : head.slice(0, 12);
  const changed = dirty === undefined || dirty === 0 ? undefined : `${countText(dirty, "path")} changed`;
  return [kind, at, commit, changed].filter((part) => part !== undefined).join(", ");
}

function some(all: readonly string[]): string | undefined {
  if (all.length === 0) return undefined;
  const more = all.length - mostShown;
  return all.slice(0, mostShown).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
