/**
 * `npm run agents [-- NAME…]`: real agents, each with a scripted model on this machine, play one scenario by themselves
 * and through the sidecar, and hand one session on to each other. Writes docs/agents.md and the wires that
 * test/agents/wires.test.ts plays. They are installed outside the lock file, into node_modules/.cache.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { agents } from "./agents.mjs";
import { Client } from "./client.mjs";
import { startModel } from "./model.mjs";
import { report } from "./report.mjs";
import { play } from "./scenario.mjs";
import { writeWire } from "./wire.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cache = process.env.ACP_AGENTS_DIR ?? path.join(root, "node_modules/.cache/agents");
const bin = path.join(cache, "node_modules/.bin");
const wanted = process.argv.slice(2);
const chosen = agents.filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word.toLowerCase())),
);

install(chosen.flatMap((agent) => [agent.package, ...(agent.needs ?? [])]));
const model = await startModel();
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "acp-agents-"));
const results = [];
for (const agent of chosen) {
  const version = versionOf(agent.package);
  const alone = await playWith(agent, "alone");
  const through = await playWith(agent, "through");
  results.push({ agent, version, alone: alone.found, through: through.found });
  writeWire(path.join(root, "test/fixtures/wires"), agent.name, version, alone, path.join(scratch));
  console.log(`${agent.name} ${version}`);
  console.log("  by itself  ", summary(alone.found));
  console.log("  through    ", summary(through.found));
}
const handed = chosen.length > 1 ? await handOver() : undefined;
console.log("handed on:", JSON.stringify(handed));
if (wanted.length === 0) fs.writeFileSync(path.join(root, "docs/agents.md"), report(results, handed));
model.close();
fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
process.exit(0);

function install(packages) {
  fs.mkdirSync(cache, { recursive: true });
  const nameIn = (wanted) => wanted.replace(/(?<=.)@.*/, "");
  if (packages.every((wanted) => fs.existsSync(path.join(cache, "node_modules", nameIn(wanted))))) return;
  if (!fs.existsSync(path.join(cache, "package.json")))
    fs.writeFileSync(path.join(cache, "package.json"), '{"private":true}\n');
  console.log(`installing ${packages.join(", ")}`);
  execFileSync(
    "npm",
    [
      ...["install", "--no-fund", "--no-audit", "--loglevel=error"],
      ...packages.map((wanted) => (nameIn(wanted) === wanted ? `${wanted}@latest` : wanted)),
    ],
    { cwd: cache, stdio: "inherit" },
  );
}

function versionOf(name) {
  return JSON.parse(fs.readFileSync(path.join(cache, "node_modules", name, "package.json"), "utf8")).version;
}

/** A home of its own for each agent and each way of playing. */
function homeOf(agent, way) {
  const home = path.join(scratch, `${agent.package.replace(/\W+/g, "-")}-${way}`);
  if (!fs.existsSync(home)) {
    fs.mkdirSync(home, { recursive: true });
    agent.setUp?.(model.url, home);
  }
  return home;
}

function starter(agent, way, store, cwd) {
  const home = homeOf(agent, way);
  const kept = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^(PATH|LANG|LC_|TMPDIR|SystemRoot)/.test(name)),
  );
  const env = {
    ...kept,
    HOME: home,
    XDG_CONFIG_HOME: path.join(home, ".config"),
    XDG_DATA_HOME: path.join(home, ".local/share"),
    ...agent.env(model.url, home),
  };
  const sidecar = [process.execPath, path.join(root, "bin/acp-sidecar.js"), "--store", store, "--"];
  const command = [...(store === undefined ? [] : sidecar), ...agent.command(bin)];
  return () => new Client(command, { cwd, env });
}

async function playWith(agent, way) {
  const cwd = path.join(homeOf(agent, way), "project");
  fs.mkdirSync(cwd, { recursive: true });
  const store =
    way === "alone" ? undefined : `sqlite:${path.join(scratch, `${agent.package.replace(/\W+/g, "-")}.db`)}`;
  return play(starter(agent, way, store, cwd), cwd);
}

/** One session from agent to agent, and back to the first: does each know what was said to those before it? */
async function handOver() {
  const cwd = path.join(scratch, "handed");
  fs.mkdirSync(cwd);
  const store = `sqlite:${path.join(scratch, "handed.db")}`;
  const order = [...chosen, chosen[0]];
  const steps = [];
  let sessionId;
  for (const [at, agent] of order.entries()) {
    const client = starter(agent, "handed", store, cwd)();
    try {
      await client.initialize();
      if (sessionId === undefined)
        ({ sessionId } = await client.request("session/new", { cwd, mcpServers: [] }));
      else await client.request("session/load", { sessionId, cwd, mcpServers: [] });
      const before = Array.from({ length: at }, (_, n) => `mark-${n + 100}`);
      const { agent: answer } = await client.prompt(sessionId, "which marks?");
      await client.prompt(sessionId, `mark-${at + 100}`);
      steps.push({ agent: agent.name, knows: before.every((mark) => answer.includes(mark)) });
    } catch (error) {
      steps.push({ agent: agent.name, knows: String(error.message).slice(0, 120) });
    }
    await client.stop();
  }
  return steps;
}

function summary(found) {
  return Object.entries(found)
    .filter(([feature]) => feature !== "forkId")
    .map(([feature, value]) => `${feature}: ${value}`)
    .join(", ");
}
