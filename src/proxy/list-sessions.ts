/** `session/list`: ours from the store, then what the agent has that we do not know. https://agentclientprotocol.com/protocol/v1/session-list */
import type { AgentRun } from "../agent/supervisor.ts";
import { isSidecarError, reasonOf, SidecarError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { listSessionsParams, parseParams } from "../protocol/schema.ts";
import { whyHidden } from "../session/hidden.ts";
import type { AgentFacts, SessionFilter, SessionRecord } from "../store/store.ts";
import { within } from "../timing.ts";
import { agentFactsOf, capabilitiesOf } from "./capabilities.ts";
import type { ProxyContext } from "./context.ts";
import { isSameAgent } from "./known-id.ts";

/** Cursors say whose pages come next: ours, or the agent's behind them. */
const ownPages = "s.";
const agentPages = "a.";

/** How long an agent may take to list its sessions before the list goes without them. */
const agentListMs = 5000;

export async function listSessions(ctx: ProxyContext, params: unknown): Promise<unknown> {
  const { cwd, cursor } = parseParams(listSessionsParams, "session/list", params);
  const filter: SessionFilter = typeof cwd === "string" ? { cwd } : {};
  if (typeof cursor === "string" && cursor.startsWith(agentPages)) {
    return agentPage(ctx, filter, decode(cursor.slice(agentPages.length)));
  }
  const page = await ctx.registry.list({
    ...filter,
    ...(typeof cursor === "string" && { cursor: ownCursor(cursor) }),
  });
  const sessions = page.items.map(infoOf);
  if (page.nextCursor !== undefined) return { sessions, nextCursor: ownPages + page.nextCursor };
  const more = await agentPage(ctx, filter, undefined);
  return { ...more, sessions: [...sessions, ...more.sessions] };
}

function ownCursor(cursor: string): string {
  if (cursor.startsWith(ownPages)) return cursor.slice(ownPages.length);
  throw invalidCursor();
}

function invalidCursor(): SidecarError {
  return new SidecarError(
    "INVALID_CURSOR",
    "The cursor is not one that session/list gave out; start without it",
  );
}

function infoOf(record: SessionRecord): object {
  const {
    id,
    cwd,
    additionalDirectories,
    title,
    updatedAtMs,
    createdAtMs,
    lineage,
    headSeq,
    mcpServerNames,
  } = record;
  return {
    sessionId: id,
    cwd,
    ...(additionalDirectories.length > 0 && { additionalDirectories }),
    ...(title !== undefined && { title }),
    updatedAt: new Date(updatedAtMs).toISOString(),
    _meta: {
      "acp-sidecar": {
        createdAt: new Date(createdAtMs).toISOString(),
        entries: headSeq,
        ...(isRecord(record.agent?.info) && { agent: record.agent.info.name }),
        ...(mcpServerNames.length > 0 && { mcpServers: mcpServerNames }),
        ...(lineage && { forkedFrom: { sessionId: lineage.parentId, atSeq: lineage.atSeq } }),
      },
    },
  };
}

interface AgentPage {
  readonly sessions: readonly unknown[];
  readonly nextCursor?: string;
}

/** The agent's page without the sessions that are ours. A failing or silent agent does not spoil our own list. */
async function agentPage(
  ctx: ProxyContext,
  filter: SessionFilter,
  cursor: string | undefined,
): Promise<AgentPage> {
  let reason = `no answer within ${agentListMs} ms`;
  try {
    const page = await within(askForPage(ctx, filter, cursor), agentListMs);
    if (page !== undefined) return page;
  } catch (error) {
    if (isSidecarError(error) && error.code.startsWith("STORE_")) throw error;
    // Who asks for a later page is told: an empty one would say that there is no more.
    if (cursor !== undefined) throw error;
    reason = reasonOf(error);
  }
  if (cursor !== undefined) throw new SidecarError("AGENT_UNAVAILABLE", `The agent did not list: ${reason}`);
  ctx.log.warn({ error: reason }, "the agent did not list its sessions");
  return { sessions: [] };
}

async function askForPage(
  ctx: ProxyContext,
  filter: SessionFilter,
  cursor: string | undefined,
): Promise<AgentPage> {
  const run = await ctx.agent.run();
  if (!capabilitiesOf(run).list) return { sessions: [] };
  const params = { ...filter, ...(cursor !== undefined && { cursor }) };
  return withoutOurs(ctx, run, await run.agent.connection.request("session/list", params));
}

async function withoutOurs(ctx: ProxyContext, run: AgentRun, result: unknown): Promise<AgentPage> {
  const theirs: readonly unknown[] =
    isRecord(result) && Array.isArray(result.sessions) ? result.sessions : [];
  const agent = agentFactsOf(run, ctx.options.agentCommand);
  const sessions: unknown[] = [];
  for (const session of theirs) {
    if (!isRecord(session) || typeof session.sessionId !== "string") continue;
    const { items } = await ctx.store.list({ agentSessionId: session.sessionId });
    if (!items.some((record) => standsFor(record, agent))) sessions.push(session);
  }
  const next = isRecord(result) ? result.nextCursor : undefined;
  return { sessions, ...(typeof next === "string" && { nextCursor: agentPages + encode(next) }) };
}

/** Whether an agent's session of a record's id is that session, or was until it was deleted. */
function standsFor(record: SessionRecord, agent: AgentFacts): boolean {
  const hidden = whyHidden(record);
  if (hidden === "deleted") return record.agent === undefined || isSameAgent(record.agent, agent);
  return hidden !== "adopting";
}

function encode(cursor: string): string {
  return Buffer.from(cursor).toString("base64url");
}

function decode(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString();
  if (encode(text) !== cursor) throw invalidCursor();
  return text;
}
