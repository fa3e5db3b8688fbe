/** `context`: what the project of a folder is, and which of its files are no longer what an agent has seen of them. */
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import { cacheFolderOf, surroundings } from "../config/paths.ts";
import type { Discovery } from "../context/discovery.ts";
import { DiscoveryCache } from "../context/discovery-cache.ts";
import type { Invocation, Io } from "./command.ts";
import { homely } from "./folder-text.ts";
import { movedOn, type MovedOn } from "../context/moved-on.ts";
import { ToldFiles } from "../context/told-files.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import { isSuperseded } from "../session/rewinds.ts";
import { countText, oneLine, print, printFacts, printJson, sizeText } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

export async function showContext({ flags, operands }: Invocation, io: Io): Promise<number> {
  const folder = path.resolve(operands[0] ?? ".");
  const cache = cacheOf(io);
  const found = flags["refresh"] === true ? await cache.refresh(folder) : await cache.of(folder);
  if (found === undefined) throw noFolder(folder);
  if (flags["json"] === true) await printJson(io, found);
  else await printFacts(io, factsOf(found, io));
  return 0;
}

export async function warmContext({ flags, operands }: Invocation, io: Io): Promise<number> {
  const cache = cacheOf(io);
  const found: Discovery[] = [];
  for (const each of operands) {
    const folder = path.resolve(each);
    const one = await cache.refresh(folder);
    if (one === undefined) throw noFolder(folder);
    found.push(one);
  }
  if (flags["json"] === true) await printJson(io, found);
  else if (flags["quiet"] !== true)
    for (const each of found)
      await print(io, `Looked at ${homely(each.folder, io)}: ${countText(each.files, "file")}\n`);
  return 0;
}

export function diffContext(invocation: Invocation, io: Io): Promise<number> {
  const { flags, operands } = invocation;
  return withSessions(invocation, io, async (registry) => {
    const record = await sessionAt(registry, operands[0] ?? "", io);
    const told = new ToldFiles();
    // What a rewind took back no agent knows any more.
    const superseded = await registry.superseded(record.id);
    for await (const page of registry.read(record.id))
      for (const entry of page) if (!isSuperseded(superseded, entry.seq)) told.take(entry);
    const all = await movedOn(told.files, [record.cwd, ...record.additionalDirectories]);
    if (flags["json"] === true) await printJson(io, { id: record.id, files: all });
    else await print(io, diffText(record, all, flags["all"] === true));
    return 0;
  });
}

function diffText({ cwd }: SessionRecord, all: readonly MovedOn[], withSame: boolean): string {
  if (all.length === 0)
    return "The agent was shown no file, and has written none, as far as the client saw.\n";
  const shown = all.filter(({ what }) => withSame || what === "changed" || what === "deleted");
  const lines = shown.map(({ path: file, what, how }) => {
    const below = path.relative(cwd, file);
    const name = below.startsWith("..") || path.isAbsolute(below) ? file : below;
    return `${what.padEnd(8)} ${oneLine(name)}${how === "written" ? " (the agent wrote it)" : ""}\n`;
  });
  const of = (wanted: MovedOn["what"]) => all.filter(({ what }) => what === wanted).length;
  const sums = `${of("changed")} changed, ${of("deleted")} deleted, ${of("same")} as the agent knows them, ${of("unknown")} of which nobody can tell`;
  return `${lines.join("")}${lines.length > 0 ? "\n" : ""}${countText(all.length, "file")}: ${sums}\n`;
}

export async function collectContext({ flags }: Invocation, io: Io): Promise<number> {
  const gone = await cacheOf(io).collect(flags["all"] === true ? "all" : "old");
  if (flags["json"] === true) await printJson(io, gone);
  else await print(io, `${countText(gone.folders, "folder")} forgotten (${sizeText(gone.bytes)})\n`);
  return 0;
}

/** Errors: `CONFIG_INVALID` without a home. */
function cacheOf({ env }: Io): DiscoveryCache {
  const folder = cacheFolderOf(surroundings(env));
  if (folder !== undefined) return new DiscoveryCache(folder);
  throw new SidecarError("CONFIG_INVALID", "There is no cache folder: set HOME or XDG_CACHE_HOME");
}

function noFolder(folder: string): SidecarError {
  return new SidecarError("USAGE", `${folder} is no folder; name one that is there`);
}

const mostShown = 12;

function factsOf(found: Discovery, io: Io): readonly (readonly [string, string | undefined])[] {
  const { folder, root, versionControl: control, languages, scripts, files, isCut } = found;
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
