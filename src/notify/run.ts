/** A program that is told something: it is handed JSON on its stdin, and has taken it when it ends with 0. */
import { spawn, type ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { environmentOf, spawnOf } from "../agent/command.ts";
import { stopGroup } from "../agent/process-group.ts";
import { systemCodeOf } from "../base/errors.ts";

export interface RunOptions {
  readonly command: readonly string[];
  readonly body: string;
  readonly timeoutMs: number;
  /** Names of variables that it does not inherit. */
  readonly withheld: readonly string[];
  /** Aborted: it is ended. */
  readonly signal: AbortSignal;
}

/** How long it may take to end by itself after SIGTERM, with all of its group. */
const graceMs = 300;

/** Why it has not taken it; undefined if it has. What it prints is nobody's: it may be a secret. */
export async function runCommand(options: RunOptions): Promise<string | undefined> {
  const { body, timeoutMs, signal } = options;
  let child: ChildProcess;
  try {
    child = start(options);
  } catch (error) {
    return `cannot be started (${systemCodeOf(error) ?? "unknown"})`;
  }
  const late = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve) => {
    const end = () => {
      const reason = signal.aborted ? "was ended, because we end" : `took longer than ${timeoutMs} ms`;
      void stopGroup(child.pid, graceMs).then(() => resolve(reason));
    };
    late.addEventListener("abort", end, { once: true });
    const settle = (reason: string | undefined) => {
      if (late.aborted) return;
      late.removeEventListener("abort", end);
      resolve(reason);
    };
    child.once("error", (error) => settle(`cannot be started (${systemCodeOf(error) ?? "unknown"})`));
    child.once("exit", (status, by) =>
      settle(status === 0 ? undefined : `ended with ${status === null ? by : `status ${status}`}`),
    );
    // Whoever does not read it has still been told.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(`${body}\n`);
  });
}

function start({ command: [name = "", ...args], withheld }: RunOptions): ChildProcess {
  const { env, platform } = process;
  const given = { command: name, args, withheld };
  const isFile = (file: string) => statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  const { command, args: words, windowsVerbatimArguments } = spawnOf(given, platform, env, isFile);
  return spawn(command, words, {
    stdio: ["pipe", "ignore", "ignore"],
    detached: platform !== "win32",
    windowsHide: true,
    windowsVerbatimArguments,
    env: environmentOf(given, env),
  });
}
