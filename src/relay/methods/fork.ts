/** `session/fork` (unstable in ACP v1): a new session that shares history up to a point by lineage, not by copying. */
import type { AgentRun } from "../../agent/supervisor.ts";
import { loggedReason, SidecarError } from "../../base/errors.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { existingSessionParams, parseParams, type ExistingSessionParams } from "../../acp/schema.ts";
import { forkParams } from "../../acp/place-schema.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { SessionRecord, SessionSettings } from "../../store/contract.ts";
import { chosenIn } from "../agent/settings.ts";
import { isInstructions, keptSystemPrompt } from "../agent/setup.ts";
import { mayTryNext } from "../agent/take-up.ts";
import type { RelayContext } from "../context.ts";
import { isLossError } from "../live/turns.ts";
import { setupOf } from "../live/session-setup.ts";
import { initOf, makeSession, type Making } from "./new.ts";
import { metaKey } from "../../acp/meta.ts";
import { withoutOurs } from "./own-meta.ts";

/** The point is the head, or `_meta["acp-sidecar"].at`: an entry by its `seq`, or a message by its id. */
export async function forkSession(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const parsed = parseParams(existingSessionParams, "session/fork", params);
  ctx.registry.live.checkRoom();
  await ctx.adopting.get(parsed.sessionId)?.catch(() => undefined);
  const parent = await sealedParent(ctx, parsed.sessionId);
  await ctx.registry.sharing.require(parent.id, "export");
  const atSeq = await forkPoint(ctx, parent, parsed);
  const run = await ctx.agent.run();
  const { title, metadata } = parent;
  const settings = settingsAt(parent, atSeq);
  const isInstructed = settings.systemPromptSeq !== undefined && run.can.systemPrompt;
  const systemPrompt = parsed.systemPrompt ?? (isInstructed && (await keptSystemPrompt(ctx, parent)));
  const wanted = { ...withoutOurs(parsed), ...(isInstructions(systemPrompt) && { systemPrompt }) };
  const making = {
    run,
    ...(await agentSide(ctx, run, parent, wanted, atSeq)),
    init: {
      ...initOf(ctx, run, parsed),
      ...(title !== undefined && { title }),
      settings,
      metadata,
      lineage: { parentId: parent.id, atSeq },
    },
    setup: setupOf(parsed),
  };
  try {
    return await makeSession(ctx, making, request);
  } catch (error) {
    if (making.method === "session/new" || !mayTryNext(error)) throw error;
    // It may have let go of the parent meanwhile, or forgotten it.
    ctx.log.info(
      { sessionId: parent.id, error: loggedReason(error, ctx.log) },
      "the agent did not fork the session",
    );
    return makeSession(ctx, { ...making, ...anew(wanted, atSeq) }, request);
  }
}

/**
 * The parent. If we hold it, it is sealed first, so that all of it can be shared, a running turn too. If nobody holds
 * it and its last holder left it unsealed (it died, or the store failed), it is sealed as well.
 */
async function sealedParent(ctx: RelayContext, clientId: string): Promise<SessionRecord> {
  if (ctx.sessions.byClientId(clientId)?.isHeld !== true) {
    const before = await ctx.holding.find(clientId);
    if (before !== undefined && ctx.holding.isLeftOver(before))
      await ctx.holding.open(ctx.client, clientId, undefined);
  }
  const live = ctx.sessions.byClientId(clientId);
  if (live?.isHeld === true) {
    const sealing = live.outbound(() => live.journal.seal([]));
    await sealing.catch((error: unknown) => {
      // Of a session that somebody else has by now all is there that is final, as for anybody.
      if (!isLossError(error)) throw error;
      ctx.holding.fail(live, error);
    });
  }
  const record = await ctx.holding.find(clientId);
  if (record === undefined) throw sessionNotFound(clientId);
  return record;
}

async function forkPoint(
  { registry }: RelayContext,
  parent: SessionRecord,
  params: ExistingSessionParams,
): Promise<number> {
  const { sealedSeq } = parent;
  const { at, atSeq = at } = parseParams(forkParams, "session/fork", params)._meta?.[metaKey] ?? {};
  const seq = atSeq === undefined ? sealedSeq : await registry.back.seqOf(parent, atSeq);
  if (seq <= sealedSeq) return seq;
  const issues = [{ path: ["_meta", metaKey, "at"], message: `at most ${sealedSeq}` }];
  throw new SidecarError("INVALID_PARAMS", `session/fork: at is ${seq}, beyond the last entry ${sealedSeq}`, {
    data: { issues },
  });
}

/** What was chosen in the parent, and its instructions if they stand before that point. */
function settingsAt({ settings }: SessionRecord, atSeq: number): SessionSettings {
  const { systemPromptSeq = Infinity } = settings;
  return { ...chosenIn(settings), ...(systemPromptSeq <= atSeq && { systemPromptSeq }) };
}

type AgentSide = Pick<Making, "method" | "agentParams" | "needsHandover">;

/** An agent that has all of the session and can fork it there does it itself; any other gets a handover. */
async function agentSide(
  ctx: RelayContext,
  run: AgentRun,
  parent: SessionRecord,
  params: ExistingSessionParams,
  atSeq: number,
): Promise<AgentSide> {
  const { sessionId, ...rest } = params;
  const live = ctx.sessions.byClientId(sessionId);
  const binding = live?.binding;
  // What somebody else has done in it since, its agent session here does not know.
  const hasAll = live?.isHeld === true && !live.owesHandover;
  if (hasAll && binding?.run === run && run.can.fork) {
    const agentParams = { sessionId: binding.agentSessionId, ...rest };
    if (atSeq === parent.headSeq) return { method: "session/fork", agentParams, needsHandover: false };
    const at = run.can.forkAt ? await ctx.registry.back.agentMessageAt(parent.id, atSeq) : undefined;
    const _meta = { ...rest._meta, [metaKey]: { at } };
    if (at !== undefined)
      return { method: "session/fork", agentParams: { ...agentParams, _meta }, needsHandover: false };
  }
  return anew(params, atSeq);
}

function anew({ sessionId: _, ...params }: ExistingSessionParams, atSeq: number): AgentSide {
  const agentParams = { ...params, mcpServers: params.mcpServers ?? [] };
  return { method: "session/new", agentParams, needsHandover: atSeq > 0 };
}
