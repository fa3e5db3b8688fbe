/**
 * Makes a fresh clone ready: installs, checks the native SQLite binding (where Node has no SQLite of its own that
 * serves) and builds, each only when needed.
 * Needs nothing but Node and npm. Silent when all is there. With --build-only it installs nothing: tests that run
 * already have been loaded from what is installed.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => path.join(root, ...parts);

if (Number(process.versions.node.split(".")[0]) < 20) {
  fail(`acp-sidecar needs Node 20 or newer; this is ${process.version}`);
}
if (!process.argv.includes("--build-only")) await makeInstalled();
if (stale()) {
  say("building dist/");
  run(process.execPath, [at(".ci/build.mjs"), "--fast"], "the build failed; the lines above say why");
}

async function makeInstalled() {
  if (!installed()) {
    say(
      "installing dependencies (npm ci); takes minutes where better-sqlite3 is needed and has to be compiled",
    );
    run(
      "npm",
      ["ci", "--no-fund", "--no-audit", "--loglevel=error"],
      "npm ci failed; the lines above say why",
    );
  }
  if (!(await sqliteServes()) && !bindingLoads()) {
    say("building the SQLite binding (npm rebuild better-sqlite3)");
    run("npm", ["rebuild", "better-sqlite3", "--loglevel=error"], bindingHelp());
    if (!bindingLoads()) fail(bindingHelp());
  }
}

/** Whether node_modules holds what the lock file names; packages for other platforms may be missing. */
function installed() {
  const found = readJson(at("node_modules/.package-lock.json"))?.packages;
  if (found === undefined) return false;
  return Object.entries(readJson(at("package-lock.json")).packages).every(
    ([name, wanted]) =>
      name === "" ||
      found[name]?.version === wanted.version ||
      (wanted.optional && found[name] === undefined),
  );
}

/** Whether SQLite is there without what is installed: this Node has one that the store takes, or a test brings one. */
async function sqliteServes() {
  if (process.env.SIDECAR_SQLITE_ENGINE) return true;
  // From here on Node reads TypeScript.
  if (Number(process.versions.node.split(".")[0]) < 24) return false;
  const { nodeEngine } = await import("../src/sqlite/engine-node.ts");
  return nodeEngine(false) !== undefined;
}

function bindingLoads() {
  try {
    const Database = createRequire(import.meta.url)("better-sqlite3");
    new Database(":memory:").close();
    return true;
  } catch {
    return false;
  }
}

function bindingHelp() {
  return (
    "better-sqlite3 has no native binding for this Node and none could be built: " +
    "install a C++ compiler, make and python3 (and Node's headers, if offline), then run: npm rebuild better-sqlite3"
  );
}

function stale() {
  const stamp = modified(at("dist/.stamp"));
  if (stamp === undefined) return true;
  const sources = [
    at("package.json"),
    at(".ci/build.mjs"),
    at(".ci/lua.mjs"),
    at(".ci/view.mjs"),
    ...files(at("src")),
    ...files(at("test/conformance")),
  ];
  return sources.some((file) => modified(file) > stamp);
}

function files(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    return entry.isDirectory() ? files(full) : [full];
  });
}

function modified(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

function readJson(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined;
}

/** Headers beside this Node spare node-gyp a download that an offline machine cannot do. */
function headers() {
  const prefix = path.dirname(path.dirname(process.execPath));
  return fs.existsSync(path.join(prefix, "include/node/node.h")) ? { npm_config_nodedir: prefix } : {};
}

function run(command, args, help) {
  const windows = process.platform === "win32" && command === "npm";
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    env: { ...headers(), ...process.env },
    shell: windows,
  });
  if (status !== 0) fail(help);
}

function say(text) {
  process.stderr.write(`[acp-sidecar] ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
