/** What git says of a folder: asked as a program, read only, within bounds of time and size. */
import { spawn, type ChildProcess } from "node:child_process";
import { within } from "../base/time.ts";

/** How long a killed program may take to end. */
const killMs = 500;
/** More is not read: a folder of so many paths is told as cut. */
const maxOutputBytes = 32 << 20;

/**
 * Of the settings of a folder that somebody else made, none may start a program of theirs, take a lock or write. Nobody is
 * asked for anything.
 */
const harmless = ["--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
const environment = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  LC_ALL: "C",
  // What a partial clone lacks is not fetched: that would take a program, and a server, which the folder names.
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "none",
};

/** We may have been started by a hook of git's, which names its own repository to what it starts. */
function withoutPlaces(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^GIT_(?!SSH|EXEC)/.test(name)));
}

export interface GitAnswer {
  readonly output: string;
  /** There was more of it. */
  readonly isCut: boolean;
}

/** Undefined where there is no git, no repository, no permission, or no answer in time. */
export async function askGit(
  folder: string,
  args: readonly string[],
  timeoutMs: number,
  input?: string,
): Promise<GitAnswer | undefined> {
  // What is no path of a file system may stand in a conversation.
  if (folder.includes("\0")) return undefined;
  const child = spawn("git", [...harmless, "-C", folder, ...args], {
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "ignore"],
    env: { ...withoutPlaces(process.env), ...environment },
    timeout: Math.max(1, Math.ceil(timeoutMs)),
    killSignal: "SIGKILL",
    windowsHide: true,
  });
  endWithUs(child);
  const answered = answerOf(child);
  // One that ends before it has read all is heard by its status.
  child.stdin?.on("error", () => undefined).end(input);
  const answer = await within(answered, Math.ceil(timeoutMs) + killMs);
  if (child.exitCode !== null || child.signalCode !== null) return answer;
  // One that waits for a dead network folder cannot be killed.
  child.stdout?.destroy();
  child.unref();
  return answer;
}

/** They are killed with us: one that hangs would stay. */
const running = new Set<ChildProcess>();
let isHeard = false;

function endWithUs(child: ChildProcess): void {
  running.add(child);
  for (const over of ["exit", "error"]) child.once(over, () => running.delete(child));
  if (isHeard) return;
  isHeard = true;
  process.once("exit", () => {
    for (const each of running) each.kill("SIGKILL");
  });
}

function answerOf(child: ChildProcess): Promise<GitAnswer | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    let isCut = false;
    child.stdout?.on("data", (piece: Buffer) => {
      if (isCut) return;
      bytes += piece.length;
      pieces.push(piece);
      isCut = bytes > maxOutputBytes;
      if (isCut) child.kill("SIGKILL");
    });
    child.once("error", () => resolve(undefined));
    child.once("close", (status) => {
      const output = Buffer.concat(pieces).toString("utf8");
      resolve(status === 0 || isCut ? { output, isCut } : undefined);
    });
  });
}
