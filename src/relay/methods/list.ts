/** `session/list`: ours from the store, then what the agent has that we do not know. https://agentclientprotocol.com/protocol/v1/session-list */
import { agentHas, hasPart } from "../../session/agent-names.ts";
import { isSidecarError, loggedReason, reasonOf, SidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import { listSessionsParams, parseParams, type ListSessionsParams } from "../../acp/schema.ts";
import { isArchived, type Archived, type ListQuery } from "../../session/archived.ts";
import type { Page, SessionRecord } from "../../store/contract.ts";
import { within } from "../../base/time.ts";
import { agentListMs, didNotList, foreignSessions, type AgentPage } from "../agent/listed.ts";
import type { RelayContext } from "../context.ts";
import { metaKey } from "../../acp/meta.ts";

/** Cursors say whose pages come next: ours, or after them the agent's. */
const ownPages = "s.";
const agentPages = "a.";

export async function listSessions(ctx: RelayContext, params: unknown): Promise<unknown> {
  const { cursor, ...asked } = parseParams(listSessionsParams, "session/list", params);
  const { cwd } = asked;
  const { query, isOursOnly } = queryOf(asked);
  if (typeof cursor === "string" && cursor.startsWith(agentPages)) {
    return agentPage(ctx, asked, decode(cursor.slice(agentPages.length)));
  }
  const page = await ctx.registry.list({
    ...query,
    ...(typeof cursor === "string" && { cursor: ownCursor(cursor) }),
  });
  const sessions = page.items.map((record) => infoOf(record, cwd ?? record.cwd));
  if (page.nextCursor !== undefined)
    return telling(page, { sessions, nextCursor: ownPages + page.nextCursor });
  if (isOursOnly) return telling(page, { sessions });
  const more = await agentPage(ctx, asked, undefined);
  return telling(page, { ...more, sessions: [...sessions, ...more.sessions] });
}

/** Sessions of the page that cannot be read: they cannot be shown as sessions, and are not passed over in silence. */
function telling({ unreadable }: Page<SessionRecord>, answer: AgentPage): AgentPage {
  if (unreadable === undefined) return answer;
  const all = unreadable.map(({ id, code }) => ({ sessionId: id, code }));
  const { _meta } = answer;
  return { ...answer, _meta: { ...(isRecord(_meta) && _meta), [metaKey]: { unreadable: all } } };
}

type Asked = Pick<ListSessionsParams, "cwd" | "archived" | "_meta">;

/** What the store is asked; and whether the agent's sessions, of which we know nothing else, are left out. */
function queryOf({ cwd, archived, _meta }: Asked): { query: ListQuery; isOursOnly: boolean } {
  const { agent, title, since, until, limit } = _meta?.[metaKey] ?? {};
  const where = (record: SessionRecord) =>
    (title === undefined || hasPart([record.title], title)) &&
    (agent === undefined || agentHas(record, agent));
  const query: ListQuery = {
    ...(typeof cwd === "string" && { cwd }),
    ...(typeof archived === "string" && { archived: archived as Archived }),
    ...(since !== undefined && { updatedSinceMs: Date.parse(since) }),
    ...(until !== undefined && { updatedBeforeMs: Date.parse(until) }),
    ...(limit !== undefined && { limit }),
    ...((title ?? agent) !== undefined && { where }),
  };
  const isOursOnly = [agent, title, since, until].some((each) => each !== undefined);
  return { query, isOursOnly };
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

/** @param cwd its folder as the client spells it: some look for their own spelling once more */
function infoOf(record: SessionRecord, cwd: string): AgentPage["sessions"][number] {
  const { id, additionalDirectories, title, updatedAtMs, createdAtMs, lineage, headSeq, mcpServerNames } =
    record;
  return {
    sessionId: id,
    cwd,
    ...(additionalDirectories.length > 0 && { additionalDirectories }),
    ...(title !== undefined && { title }),
    updatedAt: new Date(updatedAtMs).toISOString(),
    archived: isArchived(record),
    _meta: {
      [metaKey]: {
        createdAt: new Date(createdAtMs).toISOString(),
        entries: headSeq,
        ...(isRecord(record.agent?.info) && { agent: record.agent.info.name }),
        ...(mcpServerNames.length > 0 && { mcpServers: mcpServerNames }),
        ...(lineage && { forkedFrom: { sessionId: lineage.parentId, atSeq: lineage.atSeq } }),
      },
    },
  };
}

/** The agent's page without the sessions that are ours. A failing or silent agent does not spoil our own list. */
async function agentPage(
  ctx: RelayContext,
  asked: Readonly<Record<string, unknown>>,
  cursor: string | undefined,
): Promise<AgentPage> {
  let failure: unknown = `no answer within ${agentListMs} ms`;
  try {
    const page = await within(foreignSessions(ctx, asked, cursor), agentListMs);
    if (page?.nextCursor !== undefined) return { ...page, nextCursor: agentPages + encode(page.nextCursor) };
    if (page !== undefined) return page;
  } catch (error) {
    if (isSidecarError(error) && error.code.startsWith("STORE_")) throw error;
    // Who asks for a later page is told: an empty one would say that there is no more.
    if (cursor !== undefined) throw error;
    failure = error;
  }
  if (cursor !== undefined) throw didNotList(reasonOf(failure));
  ctx.log.warn({ error: loggedReason(failure, ctx.log) }, "the agent did not list its sessions");
  return { sessions: [] };
}

function encode(cursor: string): string {
  return Buffer.from(cursor).toString("base64url");
}

function decode(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString();
  if (encode(text) !== cursor) throw invalidCursor();
  return text;
}
