/** The sessions that an agent lists, and which of them are only its own. */
import type { AgentRun } from "../agent/supervisor.ts";
import { isRecord } from "../json.ts";
import { whyHidden } from "../session/hidden.ts";
import type { AgentFacts, SessionFilter, SessionRecord } from "../store/store.ts";
import { agentFactsOf, capabilitiesOf } from "./capabilities.ts";
import type { ProxyContext } from "./context.ts";
import { hides } from "./tombstones.ts";

/** A page of an agent's list; what it says of a session is the client's to read. */
export interface AgentPage {
  readonly sessions: readonly (Readonly<Record<string, unknown>> & { readonly sessionId: string })[];
  readonly nextCursor?: string;
}

/** How many pages are looked through for one session. */
const maxPages = 100;

/** A page of the sessions that the agent has and we do not know. */
export async function foreignSessions(
  ctx: ProxyContext,
  filter: SessionFilter,
  cursor: string | undefined,
): Promise<AgentPage> {
  const run = await ctx.agent.run();
  if (!capabilitiesOf(run).list) return { sessions: [] };
  const agent = agentFactsOf(run, ctx.options.agentCommand);
  const page = await pageOf(run, filter, cursor);
  const sessions: AgentPage["sessions"][number][] = [];
  for (const session of page.sessions) {
    const { items } = await ctx.store.list({ agentSessionId: session.sessionId });
    if (!items.some((record) => standsFor(record, agent))) sessions.push(session);
  }
  return { ...page, sessions };
}

/** Whether the agent has a session by its own word. */
export async function isListedBy(run: AgentRun, cwd: string, agentSessionId: string): Promise<boolean> {
  let cursor: string | undefined;
  for (let pages = 0; pages < maxPages; pages += 1) {
    const page = await pageOf(run, { cwd }, cursor);
    if (page.sessions.some(({ sessionId }) => sessionId === agentSessionId)) return true;
    cursor = page.nextCursor;
    if (cursor === undefined) return false;
  }
  return false;
}

async function pageOf(run: AgentRun, filter: SessionFilter, cursor: string | undefined): Promise<AgentPage> {
  const params = { ...filter, ...(cursor !== undefined && { cursor }) };
  const result: unknown = await run.agent.connection.request("session/list", params);
  if (!isRecord(result)) return { sessions: [] };
  const { sessions, nextCursor } = result;
  const isSession = (each: unknown): each is AgentPage["sessions"][number] =>
    isRecord(each) && typeof each.sessionId === "string";
  return {
    sessions: Array.isArray(sessions) ? sessions.filter(isSession) : [],
    ...(typeof nextCursor === "string" && { nextCursor }),
  };
}

/** Whether an agent's session of a record's id is that session, or was until it was deleted. */
function standsFor(record: SessionRecord, agent: AgentFacts): boolean {
  return whyHidden(record) === undefined || hides(record, agent);
}
