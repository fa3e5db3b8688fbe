/** `session/close` and `session/delete`: a session leaves the agent, or the world. */
import { parseParams, sessionParams } from "../../acp/schema.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { SessionRecord } from "../../store/contract.ts";
import type { ProxyContext } from "../context.ts";
import { closeAtAgent, deleteAtAgent } from "../agent/let-go.ts";
import type { LiveSession } from "../live/session.ts";
import { bury, buryAll, unearth } from "../agent/tombstones.ts";
import { cancelTurns, runningTurns } from "../live/turns.ts";

/** Ends the turn as `session/cancel` does, then lets go of agent session and lease. History stays. */
export async function closeSession(ctx: ProxyContext, params: unknown): Promise<unknown> {
  const { sessionId } = parseParams(sessionParams, "session/close", params);
  const live = ctx.sessions.byClientId(sessionId) ?? (await liveByAnotherId(ctx, sessionId));
  if (live === undefined) return {};
  const { cancelGraceMs } = ctx.options;
  await endTurns(live, cancelGraceMs);
  const { binding } = live;
  await ctx.sessions.release(live);
  // Before the agent's answer, for which nobody need wait who wants the session back.
  ctx.sessions.remove(live);
  if (binding !== undefined) await closeAtAgent(ctx, binding, cancelGraceMs);
  return {};
}

/** Errors: `SESSION_NOT_FOUND`. */
async function liveByAnotherId(ctx: ProxyContext, sessionId: string): Promise<LiveSession | undefined> {
  const record = await ctx.sessions.find(sessionId);
  if (record === undefined) throw sessionNotFound(sessionId);
  return ctx.sessions.byId(record.id);
}

/** Gone from the store and from lists. Deleting the unknown succeeds. */
export async function deleteSession(ctx: ProxyContext, params: unknown): Promise<unknown> {
  const { sessionId } = parseParams(sessionParams, "session/delete", params);
  const record = await ctx.sessions.find(sessionId);
  const live = record === undefined ? ctx.sessions.byClientId(sessionId) : ctx.sessions.byId(record.id);
  if (live !== undefined) {
    await endTurns(live, ctx.options.cancelGraceMs);
    await live.outboundIdle();
    ctx.sessions.remove(live);
  }
  await (record === undefined ? deleteTheirs(ctx, sessionId) : deleteOurs(ctx, record));
  return {};
}

/** Buried first: whoever asks once more after a failure finds no record that says what the agent calls the session. */
async function deleteOurs(ctx: ProxyContext, record: SessionRecord): Promise<void> {
  await buryAll(ctx, record);
  await ctx.registry.delete(record.id);
  const asked = await deleteAtAgent(ctx, record);
  if (asked?.lists === false) await unearth(ctx, asked.agentSessionId, asked.agent);
}

async function deleteTheirs(ctx: ProxyContext, agentSessionId: string): Promise<void> {
  // It may be one of ours, deleted by a request that failed before that was safe.
  await ctx.registry.settle();
  const asked = await deleteAtAgent(ctx, agentSessionId);
  if (asked?.lists !== false) await bury(ctx, agentSessionId, asked?.agent);
}

/** The session stays the client's to go on with; the agent and other processes are free of it. */
export async function detach(ctx: ProxyContext, live: LiveSession, graceMs: number): Promise<void> {
  await endTurns(live, graceMs);
  const { binding } = live;
  await ctx.sessions.release(live);
  if (binding !== undefined) await closeAtAgent(ctx, binding, graceMs);
}

/** A prompt that comes in meanwhile is ended as well: what goes on without its session is lost. */
async function endTurns(live: LiveSession, graceMs: number): Promise<void> {
  while (runningTurns(live).length > 0) {
    const ended = Promise.all(runningTurns(live).map((turn) => turn.answered));
    cancelTurns(live, graceMs);
    await ended;
    await live.outboundIdle();
  }
}
