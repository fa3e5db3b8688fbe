/** Where a platform keeps a user's data and settings. */
import os from "node:os";
import path from "node:path";

/** What the places depend on; a parameter so that every platform can be tested on one. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

export function surroundings(env: Surroundings["env"] = process.env): Surroundings {
  return { env, platform: process.platform, home: os.homedir() };
}

/** The SQLite file that keeps the sessions unless told otherwise. */
export function defaultStoreUrl(at: Surroundings): string {
  return `sqlite:${join(at, dataFolder(at), "acp-sidecar", "sessions.db")}`;
}

/** The configuration file that is read when it exists. */
export function defaultConfigFile(at: Surroundings): string {
  return join(at, configFolder(at), "acp-sidecar", "config.json");
}

function dataFolder(at: Surroundings): string {
  if (at.platform === "darwin") return join(at, at.home, "Library", "Application Support");
  if (at.platform === "win32") return at.env["LOCALAPPDATA"] ?? join(at, at.home, "AppData", "Local");
  return xdg(at, "XDG_DATA_HOME") ?? join(at, at.home, ".local", "share");
}

function configFolder(at: Surroundings): string {
  if (at.platform === "darwin") return join(at, at.home, "Library", "Application Support");
  if (at.platform === "win32") return at.env["APPDATA"] ?? join(at, at.home, "AppData", "Roaming");
  return xdg(at, "XDG_CONFIG_HOME") ?? join(at, at.home, ".config");
}

/** The XDG specification wants relative paths ignored. */
function xdg(at: Surroundings, name: string): string | undefined {
  const folder = at.env[name];
  return folder !== undefined && path.posix.isAbsolute(folder) ? folder : undefined;
}

function join(at: Surroundings, ...parts: readonly string[]): string {
  return (at.platform === "win32" ? path.win32 : path.posix).join(...parts);
}
