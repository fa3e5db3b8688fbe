/** `doctor`: what works, what does not, and what to do about it. */
import { openAgent } from "../agent/open.ts";
import { errorFaces } from "../base/errors.ts";
import { version } from "../base/version.ts";
import { agentLine } from "./agent-text.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { tryAgent, type Problem, type Trial, type TrialOptions } from "./doctor-agent.ts";
import type { Config } from "../config/config.ts";
import { agentOf } from "../config/agent-command.ts";
import { tryStore, type StoreTrial } from "./doctor-store.ts";
import { interruptible } from "./interrupt.ts";
import { answerTimeFrom, peerLimits, sidecarWith, withScratchFolder } from "./peer.ts";
import { oneLine, print, printFacts, printJson } from "./print.ts";
import { Progress } from "./progress.ts";
import { printTable } from "./table.ts";

/** Long enough for an agent that fetches models or asks a server first. */
const defaultTimeout = "60s";

const storeFailed = errorFaces.STORE_FAILED.exitStatus;
const agentFailed = errorFaces.AGENT_EXITED.exitStatus;

interface Report {
  readonly agent: string;
  readonly byItself: Trial;
  readonly throughSidecar: Trial;
  readonly store: StoreTrial;
  readonly problems: readonly Problem[];
}

export async function doctor(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  const { prompt, timeout = defaultTimeout } = invocation.flags;
  const withinMs = answerTimeFrom("timeout", timeout);
  const progress = new Progress(invocation, io, "doctor");
  const report = await withScratchFolder((cwd) =>
    interruptible(
      () => "what it had started is ended; run it again to try all",
      (signal) => {
        const agent = agentOf(config);
        const asked = prompt === undefined ? undefined : String(prompt);
        return examine(config, io, { cwd, agent, prompt: asked, withinMs, signal }, progress);
      },
    ),
  ).finally(() => progress.end());
  if (invocation.flags["json"]) {
    await printJson(io, { version, node: process.version, ok: report.problems.length === 0, ...report });
  } else await printReport(io, report);
  return statusOf(report);
}

/** As the program itself would end on the first thing that is wrong. */
function statusOf({ problems, store }: Report): number {
  if (problems.length === 0) return 0;
  return store.problems.length === 0 ? agentFailed : storeFailed;
}

async function examine(config: Config, io: Io, trial: TrialOptions, progress: Progress): Promise<Report> {
  const { agent, cwd: folder } = trial;
  const name = agent === undefined ? "echo" : agentLine(agent);
  progress.stage(`starting ${oneLine(name)} by itself, opening a session…`);
  const byItself = await tryAgent(openAgent(agent, peerLimits), trial);
  progress.stage(`starting ${oneLine(name)} through the sidecar…`);
  // The trial leaves the user's sessions alone: what it opens is forgotten with it.
  const sidecar = sidecarWith(io, { folder, store: "memory:", agent });
  // An agent that does not start by itself does not start through us either, and to wait for that takes time.
  const throughSidecar = byItself.facts["starts"] === "no" ? byItself : await tryAgent(sidecar, trial);
  progress.stage("opening the store, reading its newest sessions, writing one…");
  const store = await tryStore(config, io);
  trial.signal.throwIfAborted();
  const agentProblem = byItself.problem ?? throughSidecar.problem;
  return {
    agent: agentLine(agent),
    byItself,
    throughSidecar,
    store,
    problems: [...(agentProblem === undefined ? [] : [agentProblem]), ...store.problems],
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
