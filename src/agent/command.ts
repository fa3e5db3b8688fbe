/** How an agent's command is spawned: with which environment, and on Windows, which runs no script by itself, as what. */
import { win32 } from "node:path";
import type { AgentCommand } from "../config/config.ts";

interface Spawn {
  readonly command: string;
  readonly args: readonly string[];
  /** The arguments are one line, quoted already. */
  readonly windowsVerbatimArguments: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Ours without our own settings, among which may be a store's password, and without its keys; what is configured for the agent is added. */
export function environmentOf(
  { env: given, withheld = [] }: AgentCommand,
  ours: Environment,
): Record<string, string | undefined> {
  // On Windows the case of a name does not matter.
  const left = new Set(withheld.map((name) => name.toLowerCase()));
  const inherited = Object.entries(ours).filter(
    ([name]) => !/^acp_sidecar_/i.test(name) && !left.has(name.toLowerCase()),
  );
  return { ...Object.fromEntries(inherited), ...given };
}

/** @param isFile asked on Windows, where a command is a file with one of several endings in one of several folders */
export function spawnOf(
  { command, args }: AgentCommand,
  platform: NodeJS.Platform,
  env: Environment,
  isFile: (path: string) => boolean,
): Spawn {
  const found = platform === "win32" ? findOnWindows(command, env, isFile) : command;
  if (platform !== "win32" || !/\.(cmd|bat)$/i.test(found))
    return { command: found, args, windowsVerbatimArguments: false };
  // Scripts that npm puts there hand their arguments to a second shell.
  const readings = /[\\/]node_modules[\\/]\.bin[\\/]/i.test(found) ? 2 : 1;
  const words = [forShell(win32.normalize(found), 1), ...args.map((arg) => forShell(quoted(arg), readings))];
  return {
    command: valueOf(env, "comspec") ?? "cmd.exe",
    args: ["/d", "/s", "/c", `"${words.join(" ")}"`],
    windowsVerbatimArguments: true,
  };
}

/** The file that a command means, as its shell would find it; not in the current folder, which is somebody's project. */
function findOnWindows(command: string, env: Environment, isFile: (path: string) => boolean): string {
  const endings = (valueOf(env, "pathext") ?? ".EXE;.CMD;.BAT;.COM").split(";").filter((each) => each !== "");
  const hasEnding = endings.some((ending) => command.toLowerCase().endsWith(ending.toLowerCase()));
  const names = hasEnding ? [command] : endings.map((ending) => command + ending.toLowerCase());
  const folders = /[\\/]/.test(command) ? [""] : (valueOf(env, "path") ?? "").split(";");
  const places = folders.flatMap((folder) =>
    names.map((name) => win32.join(folder.replaceAll('"', ""), name)),
  );
  return places.find(isFile) ?? command;
}

/** Quoted for how programs split their command line: backslashes before a quote are doubled, and so are those at the end. */
function quoted(arg: string): string {
  let text = "";
  let backslashes = 0;
  for (const char of arg) {
    if (char === '"') text += `${"\\".repeat(backslashes + 1)}"`;
    else text += char;
    backslashes = char === "\\" ? backslashes + 1 : 0;
  }
  return `"${text}${"\\".repeat(backslashes)}"`;
}

/** Nothing in it means anything to the shell that reads it so many times. */
function forShell(text: string, readings: number): string {
  let escaped = text;
  for (let n = 0; n < readings; n += 1) escaped = escaped.replaceAll(/[()[\]%!^"`<>&|;, *?]/g, "^$&");
  return escaped;
}

/** Names of variables have no case on Windows. */
function valueOf(env: Environment, name: string): string | undefined {
  const key = Object.keys(env).find((each) => each.toLowerCase() === name);
  return key === undefined ? undefined : env[key];
}
