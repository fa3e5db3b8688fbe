/**
 * The middle run of the torture harnesses, after the tests: with a fixed seed, two at a time, each with a deadline.
 * Prints one line of figures for each, and all that a harness said that failed.
 *   node .ci/torture.mjs [--seed SEED]
 */
import { spawn } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { seed: { type: "string", default: "ci" } } });
const { TEST_POSTGRES_URL: postgres, TEST_REDIS_URL: redis } = process.env;
/** Several times of what each takes on two quiet cores. */
const deadlineMs = 10 * 60_000;

/** How much of what; without a number it is the harness's middle size. The longest first. */
const plan = [
  ["kill-sidecar", "--kills", "120", "--store", "sqlite"],
  ["soak"],
  ["kill-sidecar", "--kills", "80", "--store", "file"],
  ...(postgres ? [["kill-sidecar", "--kills", "50", "--store", postgres]] : []),
  ...(redis ? [["kill-sidecar", "--kills", "50", "--store", redis]] : []),
  ["kill-editor", "--kills", "30"],
  ["lock-held", "--kills", "12"],
  ["kill-agent", "--kills", "120"],
  ...(postgres ? [["server-gone-and-back", "--kills", "15", "--store", postgres]] : []),
  ...(redis ? [["server-gone-and-back", "--kills", "15", "--store", redis]] : []),
  ["kill-sidecar", "--kills", "25", "--encrypted"],
  ["damaged-page", "--kills", "20"],
  ["damaged-page", "--kills", "8", "--encrypted"],
  ["truncated-file", "--kills", "20", "--store", "file"],
  ["damaged-page", "--kills", "20", "--store", "file"],
  ["disk-full", "--kills", "20"],
  ["fuzz-wire", "--kills", "60000"],
  ["fuzz-wire", "--kills", "20000", "--store", "file"],
  ["two-writers", "--kills", "20"],
  ["slow-reader"],
  ["io-error"],
  ["truncated-file", "--kills", "20", "--store", "sqlite"],
  ["power-loss", "--kills", "60", "--store", "sqlite"],
  ["power-loss", "--kills", "60", "--store", "file"],
  ["power-loss", "--kills", "15", "--store", "file", "--encrypted"],
];
const atOnce = 2;

const startedAtMs = performance.now();
say(`torture, middle run, seed ${values.seed}`);
const failed = [];
await Promise.all(Array.from({ length: atOnce }, work));
const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(1);
say(failed.length === 0 ? `all held, after ${minutes} min` : `${failed.join(", ")} FAILED`);
if (failed.length > 0) process.exitCode = 1;

/** Takes one after the other from the plan. */
async function work() {
  for (let next = plan.shift(); next !== undefined; next = plan.shift()) {
    const [name, ...args] = next;
    if (!(await torture(name, args))) failed.push(name);
  }
}

/** True if the promise held. */
async function torture(name, args) {
  const command = ["test/torture/run.mjs", name, "--seed", values.seed, ...args];
  // A process group of its own: at the deadline it ends with all that it has started.
  const child = spawn(process.execPath, command, {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const isLate = await Promise.race([
    new Promise((resolve) => child.once("close", () => resolve(false))),
    new Promise((resolve) => setTimeout(resolve, deadlineMs, true).unref()),
  ]);
  if (isLate) {
    process.kill(-child.pid, "SIGKILL");
    output += `\n${name} was not done after ${deadlineMs / 60_000} minutes`;
  }
  const held = !isLate && child.exitCode === 0;
  say(held ? figuresOf(output, args) : output);
  return held;
}

/** What the harness printed last, in one line. */
function figuresOf(output, args) {
  const lines = output.trimEnd().split("\n");
  const at = lines.findLastIndex((line) => line.includes(": held"));
  const why = lines.filter((line) => line.includes("not run: "));
  const figures = lines.slice(at + 1).map((line) => line.trim());
  const store = args[args.indexOf("--store") + 1]?.replace(/:.*/, "");
  const where = args.includes("--store") ? ` on ${store}` : "";
  return `${lines[at]}${where}: ${[...why.map((line) => line.trim()), ...figures].join(", ")}`;
}

function say(text) {
  process.stdout.write(`${text}\n`);
}
