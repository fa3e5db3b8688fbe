/**
 * Lint with types, and format, at once. Prints what fails, and nothing else. One program reads the sources for lint and
 * types: the lint needs the types of everything anyhow.
 * With --aside it takes what others leave of the processors.
 */
import { spawn } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const tools = [
  ["oxlint", ["oxlint/bin/oxlint", "."]],
  ["oxfmt", ["oxfmt/bin/oxfmt", "--check", "."]],
];

if (process.argv.includes("--aside")) os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
const statuses = await Promise.all(tools.map(run));
process.exitCode = Math.max(...statuses);

function run([name, [script, ...args]]) {
  const file = path.join(root, "node_modules", script);
  const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  return new Promise((resolve) => {
    child.on("close", (status) => {
      if (status !== 0) process.stderr.write(`${name} failed:\n${said}\n`);
      resolve(status ?? 1);
    });
  });
}
