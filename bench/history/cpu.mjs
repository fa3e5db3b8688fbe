/** A command from its begin to its end: the time that its processor worked, and the most that it held in memory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const hook = fileURLToPath(new URL("cpu-hook.mjs", import.meta.url));

/** @returns seconds of processor time, which others at work on the machine change least, and MB. */
export async function measured(argv, folder, env = {}) {
  const report = `${folder}/usage.json`;
  const child = spawn(process.execPath, ["--import", hook, ...argv], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env, BENCH_USAGE: report },
  });
  const [status] = await once(child, "exit");
  if (status !== 0) throw new Error(`${argv.slice(1, 3).join(" ")} ended with ${status}`);
  return JSON.parse(readFileSync(report, "utf8"));
}
