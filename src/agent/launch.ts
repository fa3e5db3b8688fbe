/**
 * Starting an agent's process, and nothing else: `serve` does it first of all, and loads what talks to the agent
 * while the agent loads itself. What it says meanwhile waits in its pipes.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { SidecarError, systemCodeOf } from "../base/errors.ts";

export interface AgentCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

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
export function launch(options: AgentCommand): Promise<Launched> {
  const launched = new Promise<Launched>((resolve, reject) => {
    const fail = (cause: unknown) => reject(notStarted(options.command, cause));
    try {
      const child = spawn(options.command, options.args, {
        stdio: ["pipe", "pipe", "pipe"],
        detached: process.platform !== "win32",
        windowsHide: true,
        env: { ...process.env, ...options.env },
      });
      const exited = whenExited(child);
      child.once("error", fail);
      child.once("spawn", () => resolve({ child, exited }));
    } catch (error) {
      fail(error);
    }
  });
  launched.catch(() => undefined);
  return launched;
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

function whenExited(child: Child): Promise<HowItEnded> {
  return new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
}
