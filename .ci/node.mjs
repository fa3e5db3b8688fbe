/**
 * Runs tests on other Nodes than this one:
 *   node .ci/node.mjs VERSION… [what vitest takes…]      e.g. 22 24 26, or 24.16.0 test/e2e
 * Their binaries come from the npm registry and are kept in node_modules/.cache. Where such a Node needs
 * better-sqlite3, that is built for it there, too; what is installed stays as it is.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const cache = path.join(root, "node_modules/.cache/node");
const isWindows = process.platform === "win32";

const given = process.argv.slice(2);
const others = given.findIndex((each) => !/^\d+(\.\d+){0,2}$/.test(each));
const versions = given.slice(0, others === -1 ? given.length : others);
const vitestArgs = given.slice(versions.length);
if (versions.length === 0) fail("name a version of Node, such as 24");
const failed = versions.filter((version) => !testOn(version));
if (failed.length > 0) fail(`tests failed on Node ${failed.join(", ")}`);

function testOn(version) {
  const home = nodeOf(version);
  const node = path.join(home, "bin", isWindows ? "node.exe" : "node");
  const env = { ...process.env, PATH: path.dirname(node) + path.delimiter + process.env.PATH };
  const [found, abi] = read(node, "-p", "`${process.version} ${process.versions.modules}`").split(" ");
  if (!sqliteServes(node)) env.SIDECAR_SQLITE_ENGINE = bindingFor(abi, home, env);
  say(`tests on Node ${found}, ${env.SIDECAR_SQLITE_ENGINE ? "better-sqlite3" : "node:sqlite"}`);
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(node, [vitest, "run", ...vitestArgs], { cwd: root, env, stdio: "inherit" });
  return status === 0;
}

/** The folder of the package with the newest Node of `version`; one that was fetched before is taken as it is. */
function nodeOf(version) {
  const name = `node-${isWindows ? "win" : process.platform}-${process.arch}`;
  const prefix = path.join(cache, version);
  const home = path.join(prefix, "node_modules", name);
  if (!fs.existsSync(path.join(home, "bin"))) {
    say(`fetching Node ${version} (${name})`);
    fs.mkdirSync(prefix, { recursive: true });
    const help = `Node ${version} could not be fetched from the npm registry, so that nothing was tested on it; the lines above say why`;
    npm(["install", "--prefix", prefix, "--no-save", "--ignore-scripts", `${name}@${version}`], help);
  }
  return home;
}

/** As the store decides it: Nodes that cannot read TypeScript have no SQLite that serves. */
function sqliteServes(node) {
  const engine = pathToFileURL(path.join(root, "src/sqlite/engine-node.ts")).href;
  const script = `const { nodeEngine } = await import("${engine}"); process.exit(nodeEngine(false) ? 0 : 1);`;
  return spawnSync(node, ["--input-type=module", "-e", script], { stdio: "ignore" }).status === 0;
}

/** The native part of better-sqlite3 for another Node. */
function bindingFor(abi, home, env) {
  const prefix = path.join(cache, `better-sqlite3-${abi}`);
  const copy = path.join(prefix, "node_modules/better-sqlite3");
  const binding = path.join(copy, "build/Release/better_sqlite3.node");
  if (!fs.existsSync(binding)) {
    say(`building better-sqlite3 for Node's ABI ${abi}`);
    const installed = path.join(root, "node_modules/better-sqlite3");
    const isSource = (file) => file !== path.join(installed, "build");
    fs.cpSync(installed, copy, { recursive: true, filter: isSource });
    // The package of a Node brings its headers, which need no download then.
    const options = { cwd: prefix, env: { npm_config_nodedir: home, ...env } };
    npm(["rebuild", "better-sqlite3"], "better-sqlite3 could not be built; the lines above say why", options);
  }
  return binding;
}

function npm(args, help, options = {}) {
  const command = [...args, "--no-fund", "--no-audit", "--loglevel=error"];
  const { status } = spawnSync("npm", command, {
    stdio: ["ignore", "ignore", 2],
    shell: isWindows,
    ...options,
  });
  if (status !== 0) fail(help);
}

function read(command, ...args) {
  const { status, stdout, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) fail(`${command} does not run on this system${error ? `: ${error.message}` : ""}`);
  return stdout.trim();
}

function say(text) {
  process.stderr.write(`[acp-sidecar] ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
