/**
 * `npm test`: types, lint and format beside the tests, which leave the processors idle whenever they wait.
 * `npm run test:long`, --long here: only the tests that are tagged so, which `npm test` leaves out.
 * What it is given besides goes to vitest.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const vitestArgs = process.argv.slice(2).filter((arg) => arg !== "--long");
const isLong = vitestArgs.length < process.argv.length - 2;

const statuses = await Promise.all(isLong ? [vitest("long", ...longFiles())] : [check(), vitest("!long")]);
process.exitCode = Math.max(...statuses);

function check() {
  return run(".ci/check.mjs", "--aside");
}

function vitest(tag, ...files) {
  const chosen = vitestArgs.some((arg) => !arg.startsWith("-")) ? [] : files;
  return run("node_modules/vitest/vitest.mjs", "run", "--tags-filter", tag, ...vitestArgs, ...chosen);
}

/** Those that have such tests: the others need not be loaded to be passed over. */
function longFiles() {
  return readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .filter((name) => /"long"|@module-tag long/.test(readFileSync(path.join(root, "test", name), "utf8")))
    .map((name) => path.join("test", name));
}

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
