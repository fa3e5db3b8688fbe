/** Long output on a terminal goes through the user's pager. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import type { Invocation, Io } from "./command.ts";

/** Hands `use` an Io whose output is paged, where output is a terminal and there is a pager; waits until it is read. */
export async function paged(
  { flags }: Invocation,
  io: Io,
  use: (io: Io) => Promise<number>,
): Promise<number> {
  const command = flags["no-pager"] === true || !isTerminal(io) ? undefined : pagerIn(io);
  const child = command === undefined ? undefined : start(command, io);
  const stdin = child?.stdin ?? undefined;
  if (child === undefined || stdin === undefined) return use(io);
  const closed = once(child, "close");
  // Ctrl-C is for the pager, which shares the terminal with us.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  try {
    // Who has read enough ends it; then nothing more is written.
    stdin.on("error", () => undefined);
    const status = await use({ ...io, output: stdin });
    stdin.end();
    await closed;
    return status;
  } finally {
    stdin.destroy();
    process.off("SIGINT", ignore);
  }
}

function isTerminal({ output, columns }: Io): boolean {
  return columns !== undefined && "isTTY" in output && output.isTTY === true;
}

/** `PAGER` as a shell's line, none if it is empty; else `less`, where it is. */
function pagerIn({ env }: Io): string | undefined {
  const named = env["PAGER"];
  if (named !== undefined) return named.trim() === "" || named === "cat" ? undefined : named;
  if (process.platform === "win32") return undefined;
  const folders = (env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== "");
  return folders.some((folder) => fs.existsSync(path.join(folder, "less"))) ? "less" : undefined;
}

function start(command: string, { env }: Io): ChildProcess {
  const child = spawn(command, {
    shell: true,
    stdio: ["pipe", "inherit", "inherit"],
    // Ends by itself when all fits, keeps colours, leaves what was shown on the screen.
    env: { LESS: "FRX", LESSCHARSET: "utf-8", ...env },
  });
  child.on("error", () => undefined);
  return child;
}
