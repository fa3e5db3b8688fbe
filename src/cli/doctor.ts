/** `doctor`: what works, what does not, and what to do about it. */
import { openAgent } from "../agent/open.ts";
import type { AgentCommand } from "../config/config.ts";
import { version } from "../base/version.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { tryAgent, type Problem, type Trial } from "./doctor-agent.ts";
import { tryStore, type StoreTrial } from "./doctor-store.ts";
import { peerLimits, sidecarWith, withScratchFolder } from "./peer.ts";
import { oneLine, print, printFacts, printJson } from "./print.ts";
import { printTable } from "./table.ts";

/** The exit statuses of `--help`. */
const [storeFailed, agentFailed] = [5, 6];

interface Report {
  readonly agent: string;
  readonly byItself: Trial;
  readonly throughSidecar: Trial;
  readonly store: StoreTrial;
  readonly problems: readonly Problem[];
}

export async function doctor(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  const report = await withScratchFolder((folder) => examine(config.agent, config.store, io, folder));
  if (invocation.flags["json"]) {
    await printJson(io, { version, node: process.version, ok: report.problems.length === 0, ...report });
  } else await printReport(io, report);
  return statusOf(report);
}

/** As the program itself would end on the first thing that is wrong. */
function statusOf({ problems, store }: Report): number {
  if (problems.length === 0) return 0;
  return store.problem === undefined ? agentFailed : storeFailed;
}

async function examine(
  agent: AgentCommand | undefined,
  storeUrl: string,
  io: Io,
  folder: string,
): Promise<Report> {
  const byItself = await tryAgent(openAgent(agent, peerLimits), folder);
  // The user's sessions are none of its business: what it opens is forgotten with it.
  const sidecar = sidecarWith(io, { folder, store: "memory:", agent });
  // One that does not start by itself does so with nobody, and may take its time not to.
  const throughSidecar = byItself.facts["starts"] === "no" ? byItself : await tryAgent(sidecar, folder);
  const store = await tryStore(storeUrl, folder);
  const agentProblem = byItself.problem ?? throughSidecar.problem;
  return {
    agent: agent?.command ?? "echo (built in)",
    byItself,
    throughSidecar,
    store,
    problems: [agentProblem, store.problem].filter((problem) => problem !== undefined),
  };
}

async function printReport(io: Io, report: Report): Promise<void> {
  const { agent, byItself, throughSidecar, store, problems } = report;
  await print(io, `acp-sidecar ${version}, Node ${process.version}\n\nAgent: ${oneLine(agent)}\n`);
  const names = new Set([...Object.keys(byItself.facts), ...Object.keys(throughSidecar.facts)]);
  await printTable(
    io,
    ["", "BY ITSELF", "THROUGH THE SIDECAR"],
    [...names].map((name) => [name, byItself.facts[name] ?? "-", throughSidecar.facts[name] ?? "-"]),
  );
  await print(io, "\nStore\n");
  await printFacts(io, Object.entries(store.facts));
  if (problems.length === 0) return print(io, "\nNothing is wrong.\n");
  for (const { what, fix } of problems) await print(io, `\nWRONG: ${oneLine(what)}\n  fix: ${fix}\n`);
}
