/** `sessions summarise`: a summary that an agent writes, for agents that take the conversation up later. */
import path from "node:path";
import { openAgent } from "../agent/open.ts";
import { SidecarError } from "../base/errors.ts";
import type { AgentCommand, Config } from "../config/config.ts";
import type { SessionId } from "../base/ids.ts";
import { formatBytes } from "../config/units.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { toSummarise } from "../session/summaries.ts";
import type { Invocation, Io } from "./command.ts";
import { interruptible } from "./interrupt.ts";
import { answerTimeFrom, peerLimits, turnTimeout, withScratchFolder } from "./peer.ts";
import { print, printable, printJson } from "./print.ts";
import { Progress } from "./progress.ts";
import { sessionAt, withSessions } from "./sessions.ts";
import { askForSummary, type SummaryRequest, type WrittenSummary } from "./summary-agent.ts";

export function summariseSession(invocation: Invocation, io: Io): Promise<number> {
  const { operands, flags } = invocation;
  const timeout = flags["agent-timeout"] ?? turnTimeout;
  const withinMs = answerTimeFrom("agent-timeout", timeout);
  return withSessions(invocation, io, async (registry, config) => {
    const agent = agentOf(config);
    const { id } = await sessionAt(registry, operands[0] ?? "", io);
    const { handoverBytes: maxBytes } = config;
    const { throughSeq, history, isCut } = await toSummarise(registry, id, maxBytes);
    if (isCut && flags["quiet"] !== true) io.errors.write(`acp-sidecar: ${leftOut(maxBytes)}\n`);
    const progress = new Progress(invocation, io, "sessions summarise");
    progress.stage(`${path.basename(agent.command)} writes a summary…`);
    const written = await asked(agent, { history, maxBytes, withinMs }).finally(() => progress.end());
    await keep(registry, invocation, io, { id, throughSeq, ...written });
    return 0;
  });
}

/** The built-in one says back what it is told. Errors: `USAGE`. */
function agentOf({ agent }: Config): AgentCommand {
  if (agent !== undefined) return agent;
  const what = "There is no agent that could write a summary";
  throw new SidecarError("USAGE", `${what}: put its command after --, or name one in the configuration`);
}

function leftOut(maxBytes: number): string {
  return `the oldest turns are left out, because no more than ${formatBytes(maxBytes)} is read; --handover-bytes SIZE allows more`;
}

function asked(
  agent: AgentCommand,
  what: Pick<SummaryRequest, "history" | "maxBytes" | "withinMs">,
): Promise<WrittenSummary> {
  const goOn = () => "the agent was ended, and nothing was kept";
  return withScratchFolder((cwd) =>
    interruptible(goOn, (signal) => {
      const name = path.basename(agent.command);
      return askForSummary(openAgent(agent, peerLimits), { ...what, cwd, name, signal });
    }),
  );
}

interface Kept extends WrittenSummary {
  readonly id: SessionId;
  readonly throughSeq: number;
}

/** What could not be kept has cost money all the same, and is shown. */
async function keep(registry: SessionRegistry, { flags }: Invocation, io: Io, summary: Kept): Promise<void> {
  const { id, throughSeq, text, by } = summary;
  const show = (kept: boolean) =>
    flags["json"] ? printJson(io, { ...summary, kept }) : print(io, `${printable(text)}\n`);
  try {
    await registry.addSummary(id, { throughSeq, content: text, by });
  } catch (error) {
    await show(false);
    throw error;
  }
  await show(true);
}
