/** Stopping a process and everything in its group: politely, then by force. */
import { spawn } from "node:child_process";
import { pause } from "../base/time.ts";
import { identityOf } from "../base/process.ts";

const pollMs = 20;

/** SIGTERM to the group that `pid` leads, then SIGKILL to what is left after `graceMs`. Settles when it is gone. */
export async function stopGroup(pid: number | undefined, graceMs: number): Promise<void> {
  if (pid === undefined) return;
  if (process.platform === "win32") return stopTree(pid);
  if (!signalGroup(pid, "SIGTERM")) return;
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    await pause(pollMs);
    if (!signalGroup(pid, 0)) return;
  }
  signalGroup(pid, "SIGKILL");
}

/** False when nothing is left in the group. Zombies of ours are reaped by the runtime. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function stopTree(pid: number): Promise<void> {
  if (identityOf(pid) === undefined) return;
  await new Promise<void>((resolve) => {
    const killer = spawn("taskkill", ["/pid", String(pid), "/T", "/F"], {
      stdio: "ignore",
      windowsHide: true,
    });
    killer.once("error", () => resolve());
    killer.once("exit", () => resolve());
  });
}
