/**
 * `npm test`: types, lint and format beside the tests, which leave the processors idle whenever they wait.
 * What it is given goes to vitest.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const statuses = await Promise.all([
  run(".ci/check.mjs", "--aside"),
  run("node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2)),
]);
process.exitCode = Math.max(...statuses);

function run(file, ...args) {
  const child = spawn(process.execPath, [path.join(root, file), ...args], { cwd: root, stdio: "inherit" });
  return new Promise((resolve) => {
    // Ctrl-C goes to all of the terminal's processes: each ends by itself, and we behind them.
    process.on("SIGINT", () => undefined);
    child.on("close", (status) => {
      if (status !== 0) process.stderr.write(`${file} failed\n`);
      resolve(status ?? 1);
    });
  });
}
