/** `context`: what the project of a folder is, and what was seen of folders. */
import { existsSync } from "node:fs";
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import { sizeText } from "../base/size-text.ts";
import type { Discovery } from "../context/discovery.ts";
import type { CacheRoom, DiscoveryCache } from "../context/discovery-cache.ts";
import { cacheOf, factsOf } from "./context-facts.ts";
import type { Invocation, Io } from "./command.ts";
import { homely } from "./folder-text.ts";
import { showSessionContext } from "./context-session.ts";
import { countText, oneLine, print, printFacts, printJson } from "./print.ts";

export async function showContext(invocation: Invocation, io: Io): Promise<number> {
  const { flags, operands } = invocation;
  const [named = "."] = operands;
  const folder = path.resolve(named);
  // What is no folder, and does not look like one, is a session.
  if (!/[/\\]/.test(named) && !existsSync(folder)) return showSessionContext(invocation, io);
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
    const one = await cache.warm(folder);
    if (one === undefined) throw noFolder(folder);
    found.push(one);
  }
  if (flags["json"] === true) await printJson(io, found);
  else if (flags["quiet"] !== true)
    for (const each of found)
      await print(io, `Looked at ${oneLine(homely(each.folder, io))}: ${countText(each.files, "file")}\n`);
  return 0;
}

export async function collectContext({ flags, operands }: Invocation, io: Io): Promise<number> {
  const cache = cacheOf(io);
  if (operands.length > 0 && flags["all"] === true)
    throw new SidecarError("USAGE", "--all forgets all folders; name some, or leave it out");
  const gone = operands.length > 0 ? await forgotten(cache, operands) : await cache.collect(whichOf(flags));
  if (flags["json"] === true) await printJson(io, gone);
  else await print(io, `${countText(gone.folders, "folder")} forgotten (${sizeText(gone.bytes)})\n`);
  return 0;
}

function whichOf(flags: Invocation["flags"]): "all" | "old" {
  return flags["all"] === true ? "all" : "old";
}

async function forgotten(cache: DiscoveryCache, folders: readonly string[]): Promise<CacheRoom> {
  let [count, bytes] = [0, 0];
  for (const folder of folders) {
    const freed = await cache.forget(path.resolve(folder));
    if (freed === undefined) continue;
    count += 1;
    bytes += freed;
  }
  return { folders: count, bytes };
}

function noFolder(folder: string): SidecarError {
  return new SidecarError("USAGE", `${folder} is no folder, or does not answer; name one that is there`);
}
