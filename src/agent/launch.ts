/**
 * Starting an agent's process, and nothing else: `serve` does it first of all, and loads what talks to the agent
 * while the agent loads itself. What it says meanwhile waits in its pipes.
 */
import { spawn, type ChildProcess, type ChildProcessByStdio, type SpawnOptions } from "node:child_process";
import { statSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { SidecarError, systemCodeOf } from "../base/errors.ts";
import type { AgentCommand } from "../config/config.ts";
import { environmentOf, spawnOf } from "./command.ts";

export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export interface HowItEnded {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that was started and may have ended again before anybody looked. */
export interface Launched {
  readonly child: Child;
  readonly exited: Promise<HowItEnded>;
}

/** Starts it in a process group of its own. Rejections: `AGENT_NOT_STARTED`; whoever waits later still gets it. */
export function launch(command: AgentCommand): Promise<Launched> {
  const how = {
    stdio: ["pipe", "pipe", "pipe"] as const,
    detached: process.platform !== "win32",
    windowsHide: true,
  };
  const launched = start(command, how).then(({ child, exited }) => ({ child: child as Child, exited }));
  launched.catch(() => undefined);
  return launched;
}

/** Runs it where we run, on our own terminal; settles when it has ended. Rejections: `AGENT_NOT_STARTED`. */
export async function runHere(command: AgentCommand, signal: AbortSignal): Promise<HowItEnded> {
  const { child, exited } = await start(command, { stdio: "inherit" });
  signal.addEventListener("abort", () => child.kill());
  return exited;
}

function start(
  command: AgentCommand,
  how: Pick<SpawnOptions, "detached" | "windowsHide"> & {
    readonly stdio: "inherit" | readonly ["pipe", "pipe", "pipe"];
  },
): Promise<{ readonly child: ChildProcess; readonly exited: Promise<HowItEnded> }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(notStarted(command.command, cause));
    try {
      const { env } = process;
      const { command: file, args, ...verbatim } = spawnOf(command, process.platform, env, isFile);
      const options = { ...how, ...verbatim, env: environmentOf(command, env) } as SpawnOptions;
      const child = spawn(file, args, options);
      const exited = whenExited(child);
      child.once("error", fail);
      child.once("spawn", () => resolve({ child, exited }));
    } catch (error) {
      fail(error);
    }
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function notStarted(command: string, cause: unknown): SidecarError {
  const code = systemCodeOf(cause);
  const why =
    code === "ENOENT"
      ? "there is no such command: install it, or check the PATH that the editor starts us with"
      : code === "EACCES"
        ? "it may not be executed"
        : (code ?? "the system refused");
  return new SidecarError("AGENT_NOT_STARTED", `The agent ${command} could not be started: ${why}`, {
    data: { command },
    cause,
  });
}

function whenExited(child: ChildProcess): Promise<HowItEnded> {
  return new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
}
