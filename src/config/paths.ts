/** Where a platform keeps a user's data and settings, and what `~` and a relative path in a setting mean. */
import os from "node:os";
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import { withPlaces } from "../base/store-url.ts";

/** What the places depend on; a parameter so that every platform can be tested on one. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Absent where there is none: a container's arbitrary user has no HOME and no entry among the users. */
  readonly home?: string;
}

export function surroundings(env: Surroundings["env"] = process.env): Surroundings {
  const home = homeIn(env);
  return { env, platform: process.platform, ...(home !== undefined && { home }) };
}

/** An empty or relative HOME is none: it would put a user's sessions into whichever folder we are started in. */
function homeIn(env: Surroundings["env"]): string | undefined {
  const named = env[process.platform === "win32" ? "USERPROFILE" : "HOME"];
  if (named !== undefined && path.isAbsolute(named)) return named;
  try {
    const { homedir } = os.userInfo();
    return path.isAbsolute(homedir) ? homedir : undefined;
  } catch {
    return undefined;
  }
}

/** The SQLite file that keeps the sessions unless told otherwise. Errors: `CONFIG_INVALID` without a home. */
export function defaultStoreUrl(at: Surroundings): string {
  const folder = dataFolder(at);
  if (folder !== undefined) return `sqlite:${join(at, folder, "acp-sidecar", "sessions.db")}`;
  throw homeless("there is no folder of the user's to keep sessions in");
}

/** The configuration file that is read when it exists; without a home there is none. */
export function defaultConfigFile(at: Surroundings): string | undefined {
  const folder = configFolder(at);
  return folder && join(at, folder, "acp-sidecar", "config.json");
}

/** Where is kept what can be made again; undefined without a home. */
export function cacheFolderOf(at: Surroundings): string | undefined {
  const folder = cacheFolder(at);
  return folder && join(at, folder, "acp-sidecar");
}

/** The file that records who did what, unless told otherwise; undefined without a home. */
export function defaultAuditFile(at: Surroundings): string | undefined {
  const folder = stateFolder(at);
  return folder && join(at, folder, "acp-sidecar", "audit.jsonl");
}

/** Where processes keep what they have counted; undefined without a home. */
export function figuresFolder(at: Surroundings): string | undefined {
  const folder = stateFolder(at);
  return folder && join(at, folder, "acp-sidecar", "figures");
}

/**
 * A store's URL with `~` for the user's home, and paths that are relative in the configuration file as that file's
 * folder has them: wherever an editor starts us, the file means the same. Errors: `CONFIG_INVALID`.
 * @param base the folder of the configuration file, if the URL stands there
 */
export function placedStore(url: string, at: Surroundings, base: string | undefined): string {
  return withPlaces(url, (path) => placed(path, at, base));
}

/** The same for a path. */
export function placed(place: string, at: Surroundings, base: string | undefined): string {
  if (/^~(?=[/\\]|$)/.test(place)) {
    if (at.home === undefined) throw homeless(`${place} stands for a folder of the user's home`);
    return join(at, at.home, place.slice(1));
  }
  return base === undefined || path.isAbsolute(place) ? place : path.join(base, place);
}

function homeless(what: string): SidecarError {
  return new SidecarError(
    "CONFIG_INVALID",
    `No home directory is known, and ${what}; allowed: set HOME, or name a store with --store (memory: keeps nothing)`,
  );
}

/** Where is kept what a process leaves to the next one; undefined without a home. */
export function stateFolderOf(at: Surroundings): string | undefined {
  const folder = stateFolder(at);
  return folder && join(at, folder, "acp-sidecar");
}

/** Where waits what is to be told to others; undefined without a home. */
export function outboxOf(at: Surroundings): string | undefined {
  const folder = stateFolderOf(at);
  return folder && join(at, folder, "outbox");
}

function dataFolder(at: Surroundings): string | undefined {
  if (at.platform === "darwin") return inHome(at, "Library", "Application Support");
  if (at.platform === "win32") return at.env["LOCALAPPDATA"] ?? inHome(at, "AppData", "Local");
  return xdg(at, "XDG_DATA_HOME") ?? inHome(at, ".local", "share");
}

function configFolder(at: Surroundings): string | undefined {
  if (at.platform === "darwin") return inHome(at, "Library", "Application Support");
  if (at.platform === "win32") return at.env["APPDATA"] ?? inHome(at, "AppData", "Roaming");
  return xdg(at, "XDG_CONFIG_HOME") ?? inHome(at, ".config");
}

function stateFolder(at: Surroundings): string | undefined {
  if (at.platform === "darwin" || at.platform === "win32") return dataFolder(at);
  return xdg(at, "XDG_STATE_HOME") ?? inHome(at, ".local", "state");
}

function cacheFolder(at: Surroundings): string | undefined {
  if (at.platform === "darwin") return inHome(at, "Library", "Caches");
  if (at.platform === "win32") return at.env["LOCALAPPDATA"] ?? inHome(at, "AppData", "Local");
  return xdg(at, "XDG_CACHE_HOME") ?? inHome(at, ".cache");
}

function inHome(at: Surroundings, ...parts: readonly string[]): string | undefined {
  return at.home && join(at, at.home, ...parts);
}

/** The XDG specification wants relative paths ignored. */
function xdg(at: Surroundings, name: string): string | undefined {
  const folder = at.env[name];
  return folder !== undefined && path.posix.isAbsolute(folder) ? folder : undefined;
}

function join(at: Surroundings, ...parts: readonly string[]): string {
  return (at.platform === "win32" ? path.win32 : path.posix).join(...parts);
}
