/** What agents call our sessions. */
import type { AgentRun } from "../../agent/supervisor.ts";
import { formerIdsOf, isSameAgent, ownIdsOf } from "../../session/agent-ids.ts";
import type { SessionRecord } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";

/** How many agent session ids a record keeps. */
const maxAgentSessionIds = 20;

/**
 * The ids by which the agent knew the session, newest first; none if it was another agent, whose ids may mean anything
 * here. An agent that counts anew after a restart may use an id again: it is then bound to the other session.
 */
export function knownIds(ctx: RelayContext, record: SessionRecord, run: AgentRun): string[] {
  if (!isSameAgent(record.agent, run.facts)) return [];
  const isFree = (agentSessionId: string) => {
    const bound = ctx.sessions.byAgentId(agentSessionId);
    return bound === undefined || bound.id === record.id;
  };
  return ownIdsOf(record).reverse().filter(isFree);
}

/** What the record says when the agent knows the session by this id from now on. */
export function withAgentId(
  record: SessionRecord,
  run: AgentRun,
  agentSessionId: string,
  lacksHistory: boolean,
): Pick<SessionRecord, "agentSessionIds" | "settings"> {
  const others = record.agentSessionIds.filter((id) => id !== agentSessionId);
  const agentSessionIds = [...others, agentSessionId].slice(-maxAgentSessionIds);
  const isSame = isSameAgent(record.agent, run.facts);
  const own = isSame ? ownIdsOf(record).filter((id) => id !== agentSessionId).length + 1 : 1;
  const ownAgentIds = Math.min(own, agentSessionIds.length);
  const { owesHandoverTo: _owed, ownAgentIds: _own, formerIds: before = {}, ...settings } = record.settings;
  const kept = agentSessionIds.slice(0, -ownAgentIds);
  const whose = Object.entries(isSame ? before : formerIdsOf(record));
  const formerIds = Object.fromEntries(whose.filter(([id]) => kept.includes(id)));
  return {
    agentSessionIds,
    settings: {
      ...settings,
      ...(ownAgentIds > 1 && { ownAgentIds }),
      ...(Object.keys(formerIds).length > 0 && { formerIds }),
      ...(lacksHistory && { owesHandoverTo: agentSessionId }),
    },
  };
}
