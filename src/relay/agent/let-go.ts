/** Telling the agent that a session of its is over, where it wants to know. What it answers changes nothing here. */
import { reasonOf } from "../../base/errors.ts";
import type { AgentFacts, SessionRecord } from "../../store/contract.ts";
import { waitAtMost, within } from "../../base/time.ts";
import { agentFactsOf, capabilitiesOf } from "./capabilities.ts";
import type { ProxyContext } from "../context.ts";
import { knownId } from "./known-id.ts";
import type { Binding } from "../live/session.ts";

/** How long an agent may take to close or delete a session of its own before we go on without its answer. */
const agentAnswerMs = 5000;

export async function closeAtAgent(
  ctx: ProxyContext,
  { run, agentSessionId }: Binding,
  waitMs = agentAnswerMs,
): Promise<void> {
  if (!capabilitiesOf(run).close) return;
  const closing = run.agent.connection.request("session/close", { sessionId: agentSessionId });
  await waitAtMost(best(ctx, closing), waitMs);
}

/** An agent and what it calls a session. */
interface AtAgent {
  readonly agentSessionId: string;
  readonly agent: AgentFacts;
  /** Not even an agent that has deleted it is sure not to list it: a process of its may write it once more. */
  readonly lists: boolean;
}

/**
 * Returns whom it has asked; undefined when that is not known: no agent has come up, or another one than the session's.
 * @param session ours, which this agent may know, or the agent's own by its id there
 */
export async function deleteAtAgent(
  ctx: ProxyContext,
  session: SessionRecord | string,
): Promise<AtAgent | undefined> {
  const run = await within(best(ctx, ctx.agent.run()), agentAnswerMs);
  if (run === undefined) return undefined;
  const sessionId = typeof session === "string" ? session : knownId(ctx, session, run);
  if (sessionId === undefined) return undefined;
  const can = capabilitiesOf(run);
  if (can.delete) {
    const deleting = run.agent.connection.request("session/delete", { sessionId });
    await waitAtMost(best(ctx, deleting), agentAnswerMs);
  }
  const agent = agentFactsOf(run, ctx.options.agentCommand);
  return { agentSessionId: sessionId, agent, lists: can.list };
}

/** The session has ended here whatever the agent says. */
function best<T>(ctx: ProxyContext, request: Promise<T>): Promise<T | undefined> {
  return request.catch((error: unknown) => {
    ctx.log.warn({ error: reasonOf(error) }, "the agent did not let go of a session");
    return undefined;
  });
}
