/** `session/archive`, `session/unarchive`, `session/status` (unstable): answered from the store, whatever the agent can. */
import { metaKey } from "../../acp/meta.ts";
import { parseParams, sessionParams } from "../../acp/schema.ts";
import { isArchived } from "../../session/archived.ts";
import { isFree, thisHolder } from "../../session/holder.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { askAgent } from "../agent/ask.ts";
import type { RelayContext } from "../context.ts";
import { closeSession } from "./end.ts";
import { tellInfo } from "./info.ts";

type Capability = "archive" | "status";

/** As `session/close`, and then out of lists and into less room. One that is archived already is packed again. */
export async function archiveSession(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const method = "session/archive";
  const { sessionId } = parseParams(sessionParams, method, params);
  const record = await ctx.holding.find(sessionId);
  if (record === undefined) return theirs(ctx, "archive", method, params, request);
  await ctx.registry.sharing.require(record.id, "prompt");
  const live = ctx.sessions.byId(record.id);
  if (live !== undefined) {
    await tellInfo(live, { _meta: { [metaKey]: { archived: true } } }, ctx.client);
    await closeSession(ctx, { sessionId });
  }
  await ctx.registry.archive(record.id);
  return {};
}

export async function unarchiveSession(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const method = "session/unarchive";
  const { sessionId } = parseParams(sessionParams, method, params);
  const record = await ctx.holding.find(sessionId);
  if (record === undefined) return theirs(ctx, "archive", method, params, request);
  await ctx.registry.unarchive(record.id);
  return {};
}

/** Changes nothing: no lease is taken, no agent started. */
export async function sessionStatus(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const method = "session/status";
  const { sessionId } = parseParams(sessionParams, method, params);
  const record = await ctx.holding.find(sessionId);
  if (record === undefined) return theirs(ctx, "status", method, params, request);
  return statusOf(record, ctx.sessions.byId(record.id)?.isHeld === true);
}

function statusOf(record: SessionRecord, isHeldHere: boolean): object {
  const { lease, updatedAtMs, headSeq } = record;
  const isOpen = isHeldHere || !isFree(lease, thisHolder());
  return {
    status: isOpen ? "open" : "saved",
    _meta: {
      [metaKey]: {
        archived: isArchived(record),
        turnRunning: isOpen && lease?.turnRunning === true,
        entries: headSeq,
        updatedAt: new Date(updatedAtMs).toISOString(),
        ...(isOpen && !isHeldHere && lease && { holder: { pid: lease.holder.pid } }),
      },
    },
  };
}

/** A session that only the agent has, if it knows what is asked. Errors: `SESSION_NOT_FOUND`. */
async function theirs(
  ctx: RelayContext,
  capability: Capability,
  method: string,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const { sessionId } = parseParams(sessionParams, method, params);
  if (await ctx.registry.hidden.isStrangers(sessionId, ctx.agent.facts)) throw sessionNotFound(sessionId);
  let asked: { readonly answer: Promise<unknown> } | undefined;
  await ctx.agent.ifRunning(async (run) => {
    if (run.can[capability]) asked = { answer: askAgent(ctx, run, method, params, request) };
  });
  if (asked === undefined) throw sessionNotFound(sessionId);
  return asked.answer;
}
