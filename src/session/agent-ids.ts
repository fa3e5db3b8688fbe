/** Whose ids are what agents call our sessions: an agent's id counts only with its agent, because many agents just count. */
import { isRecord } from "../base/json.ts";
import type { AgentFacts, SessionRecord, Store } from "../store/contract.ts";
import { everySession, type PassOver } from "./pages.ts";

type Known = Pick<SessionRecord, "agentSessionIds" | "settings" | "agent">;

/** An agent is told by its name, or by its program if it has none. */
export function isSameAgent(before: AgentFacts | undefined, now: AgentFacts): boolean {
  const [nameBefore, nameNow] = [before?.info, now.info].map((info) =>
    isRecord(info) ? info.name : undefined,
  );
  return nameBefore === nameNow && (nameBefore !== undefined || before?.command === now.command);
}

/** The ids that are the present agent's: released versions did not say, so of theirs only the last is. After a rewind none is. */
export function ownIdsOf({ agentSessionIds, settings: { ownAgentIds = 1 } }: Omit<Known, "agent">): string[] {
  return ownAgentIds === 0 ? [] : agentSessionIds.slice(-ownAgentIds);
}

/** Whose id it is; undefined when that is not known. */
export function agentOf(record: Known, agentSessionId: string): AgentFacts | undefined {
  if (ownIdsOf(record).includes(agentSessionId)) return record.agent;
  const { formerIds = {} } = record.settings;
  return Object.hasOwn(formerIds, agentSessionId) ? formerIds[agentSessionId] : undefined;
}

/** Whether an agent knows or knew the session by this id. One of which it is not known whose it is may be any agent's. */
export function isKnownAs(record: Known, agentSessionId: string, agent: AgentFacts | undefined): boolean {
  if (!record.agentSessionIds.includes(agentSessionId)) return false;
  const whose = agentOf(record, agentSessionId);
  return agent === undefined || whose === undefined || isSameAgent(whose, agent);
}

/** The ids that another agent takes the place of, with whose they are. */
export function formerIdsOf(record: Known): Record<string, AgentFacts> {
  const known = record.agentSessionIds.map((id) => [id, whoIs(agentOf(record, id))] as const);
  return Object.fromEntries(known.filter((each): each is [string, AgentFacts] => each[1] !== undefined));
}

/** What an agent is told by. */
function whoIs(agent: AgentFacts | undefined): AgentFacts | undefined {
  if (isRecord(agent?.info) && agent.info.name !== undefined) return { info: { name: agent.info.name } };
  return agent?.command === undefined ? undefined : { command: agent.command };
}

/** The newest that `isMeant` of all records with an id of an agent's. */
export async function findByAgentId(
  store: Store,
  agentSessionId: string,
  isMeant: (record: SessionRecord) => boolean,
  passOver?: PassOver,
): Promise<SessionRecord | undefined> {
  const all = everySession(store, { agentSessionId }, passOver);
  for await (const record of all) if (isMeant(record)) return record;
  return undefined;
}
