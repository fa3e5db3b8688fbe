/** The sessions that an agent lists, and which of them are only its own. */
import type { AgentRun } from "../../agent/supervisor.ts";
import { SidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import { within } from "../../base/time.ts";
import type { RelayContext } from "../context.ts";

type ListedSession = Readonly<Record<string, unknown>> & { readonly sessionId: string };

/** A page of an agent's list; what it says of a session is the client's to read. */
export interface AgentPage {
  readonly sessions: readonly ListedSession[];
  readonly nextCursor?: string;
  /** What else its answer says. */
  readonly [field: string]: unknown;
}

/** What is asked of an agent besides which page. */
type Asked = Readonly<Record<string, unknown>>;

/** How long an agent may take to list its sessions before we go on without its list. */
export const agentListMs = 5000;
/** How many pages are looked through for one session. */
const maxPages = 100;
/** How many sessions the store is asked for at once: one after the other they would take a network's time each. */
const askedAtOnce = 25;

/** A page of the sessions that the agent has and we do not know. */
export async function foreignSessions(
  ctx: RelayContext,
  asked: Asked,
  cursor: string | undefined,
): Promise<AgentPage> {
  const run = await ctx.agent.run();
  const { archived, ...others } = asked;
  // An agent that knows no archive has nothing there, and takes no such filter.
  if (!run.can.list || (archived === "only" && !run.can.archive)) return { sessions: [] };
  const page = await pageOf(run, run.can.archive ? asked : others, cursor);
  const sessions: ListedSession[] = [];
  for (let at = 0; at < page.sessions.length; at += askedAtOnce) {
    const some = page.sessions.slice(at, at + askedAtOnce);
    const ours = await Promise.all(
      some.map(({ sessionId }) => ctx.registry.hidden.isOurs(sessionId, run.facts)),
    );
    for (const [place, each] of some.entries())
      // Whoever offers an archive says of each session whether it is there.
      if (ours[place] !== true) sessions.push({ archived: false, ...each });
  }
  return { ...page, sessions };
}

/** What the agent lists of a session of its own, if it does. Errors: `AGENT_UNAVAILABLE` if it does not say so in time. */
export async function listedBy(
  run: AgentRun,
  cwd: string,
  agentSessionId: string,
  signal: AbortSignal | undefined,
): Promise<ListedSession | undefined> {
  const lateMs = performance.now() + agentListMs;
  let cursor: string | undefined;
  for (let pages = 0; pages < maxPages; pages += 1) {
    const asking = pageOf(run, { cwd }, cursor, signal);
    const page = await within(asking, Math.max(lateMs - performance.now(), 0));
    if (page === undefined) throw didNotList(`no answer within ${agentListMs} ms`);
    const listed = page.sessions.find(({ sessionId }) => sessionId === agentSessionId);
    cursor = page.nextCursor;
    if (listed !== undefined || cursor === undefined) return listed;
  }
  return undefined;
}

export function didNotList(reason: string): SidecarError {
  return new SidecarError("AGENT_UNAVAILABLE", `The agent did not list: ${reason}`);
}

async function pageOf(
  run: AgentRun,
  asked: Asked,
  cursor: string | undefined,
  signal?: AbortSignal,
): Promise<AgentPage> {
  const params = { ...asked, ...(cursor !== undefined && { cursor }) };
  const result: unknown = await run.agent.request("session/list", params, {
    ...(signal && { signal }),
  });
  if (!isRecord(result)) return { sessions: [] };
  const { sessions, nextCursor, ...others } = result;
  const isSession = (each: unknown): each is ListedSession =>
    isRecord(each) && typeof each.sessionId === "string";
  return {
    ...others,
    sessions: Array.isArray(sessions) ? sessions.filter(isSession) : [],
    ...(typeof nextCursor === "string" && { nextCursor }),
  };
}
