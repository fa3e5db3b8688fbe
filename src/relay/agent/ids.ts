/** What agents call our sessions. */
import type { AgentRun } from "../../agent/supervisor.ts";
import { isSameAgent } from "../../session/hidden.ts";
import type { SessionRecord } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";

/**
 * The id that the agent knew the session by; none if it was another agent, whose ids may mean anything here. One
 * that counts anew after a restart may mean another session by it, too.
 */
export function knownId(
  ctx: RelayContext,
  { id, agent, agentSessionIds }: SessionRecord,
  run: AgentRun,
): string | undefined {
  if (!isSameAgent(agent, run.facts)) return undefined;
  const known = agentSessionIds.at(-1);
  const bound = ctx.sessions.byAgentId(known);
  return bound === undefined || bound.id === id ? known : undefined;
}
