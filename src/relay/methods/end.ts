/** `session/close` and `session/delete`: a session leaves the agent, or the world. */
import { parseParams, sessionParams } from "../../acp/schema.ts";
import { loggedReason } from "../../base/errors.ts";
import { waitAtMost, within } from "../../base/time.ts";
import { agentOf } from "../../session/agent-ids.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { AgentFacts, SessionRecord } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import { knownIds } from "../agent/ids.ts";
import type { Binding, LiveSession } from "../live/session.ts";
import { cancelTurns, runningTurns } from "../live/turns.ts";

/** Ends the turn as `session/cancel` does, then lets go of agent session and lease. History stays. */
export async function closeSession(ctx: RelayContext, params: unknown): Promise<unknown> {
  const { sessionId } = parseParams(sessionParams, "session/close", params);
  const live = ctx.sessions.byClientId(sessionId) ?? (await liveByAnotherId(ctx, sessionId));
  if (live === undefined) return {};
  const { cancelGraceMs } = ctx.options;
  await endTurns(live, cancelGraceMs);
  const { binding } = live;
  await ctx.holding.release(live);
  // Before the agent's answer, for which nobody need wait who wants the session back.
  ctx.sessions.remove(live);
  if (binding !== undefined) await closeAtAgent(ctx, binding, cancelGraceMs);
  return {};
}

/** Errors: `SESSION_NOT_FOUND`. */
async function liveByAnotherId(ctx: RelayContext, sessionId: string): Promise<LiveSession | undefined> {
  const record = await ctx.holding.find(sessionId);
  if (record === undefined) throw sessionNotFound(sessionId);
  return ctx.sessions.byId(record.id);
}

/** Gone from the store and from lists. Deleting the unknown succeeds. */
export async function deleteSession(ctx: RelayContext, params: unknown): Promise<unknown> {
  const { sessionId } = parseParams(sessionParams, "session/delete", params);
  const record = await ctx.holding.find(sessionId);
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
async function deleteOurs(ctx: RelayContext, record: SessionRecord): Promise<void> {
  for (const id of record.agentSessionIds) await ctx.registry.hidden.bury(id, agentOf(record, id));
  await ctx.registry.delete(record.id);
  const asked = await deleteAtAgent(ctx, record);
  if (asked?.lists === false) await ctx.registry.hidden.unearth(asked.agentSessionId, asked.agent);
}

async function deleteTheirs(ctx: RelayContext, agentSessionId: string): Promise<void> {
  // It may be one of ours, deleted by a request that failed before that was safe.
  await ctx.registry.settle();
  const asked = await deleteAtAgent(ctx, agentSessionId);
  if (asked?.lists === false) return;
  await ctx.registry.hidden.bury(agentSessionId, asked?.agent);
  await ctx.registry.settle();
}

/** The session stays the client's to go on with; the agent and other processes are free of it. */
export async function detach(ctx: RelayContext, live: LiveSession, graceMs: number): Promise<void> {
  await endTurns(live, graceMs);
  const { binding } = live;
  await ctx.holding.release(live);
  if (binding !== undefined) await closeAtAgent(ctx, binding, graceMs);
}

/** A prompt that comes in meanwhile is ended as well: what goes on without its session is lost. */
async function endTurns(live: LiveSession, graceMs: number): Promise<void> {
  while (runningTurns(live).length > 0) {
    const ended = Promise.all(runningTurns(live).map((turn) => turn.over));
    cancelTurns(live, graceMs);
    await ended;
    await live.outboundIdle();
  }
}

/** How long an agent may take to close or delete a session of its own before we go on without its answer. */
const agentAnswerMs = 5000;

export async function closeAtAgent(
  ctx: RelayContext,
  { run, agentSessionId }: Binding,
  waitMs = agentAnswerMs,
): Promise<void> {
  if (!run.can.close) return;
  const closing = run.agent.request("session/close", { sessionId: agentSessionId });
  await waitAtMost(best(ctx, closing), waitMs);
}

/** An agent and what it calls a session. */
interface AtAgent {
  readonly agentSessionId: string;
  readonly agent: AgentFacts;
  /** Not even an agent that has deleted it is sure not to list it: a process of its may write it once more. */
  readonly lists: boolean;
}

/**
 * Returns whom it has asked; undefined when that is not known: no agent has come up, or another one than the session's.
 * @param session ours, which this agent may know, or the agent's own by its id there
 */
export async function deleteAtAgent(
  ctx: RelayContext,
  session: SessionRecord | string,
): Promise<AtAgent | undefined> {
  const run = await within(best(ctx, ctx.agent.run()), agentAnswerMs);
  if (run === undefined) return undefined;
  const sessionId = typeof session === "string" ? session : knownIds(ctx, session, run)[0];
  if (sessionId === undefined) return undefined;
  if (run.can.delete) {
    const deleting = run.agent.request("session/delete", { sessionId });
    await waitAtMost(best(ctx, deleting), agentAnswerMs);
  }
  return { agentSessionId: sessionId, agent: run.facts, lists: run.can.list };
}

/** The session has ended here whatever the agent says. */
function best<T>(ctx: RelayContext, request: Promise<T>): Promise<T | undefined> {
  return request.catch((error: unknown) => {
    ctx.log.warn({ error: loggedReason(error, ctx.log) }, "the agent did not let go of a session");
    return undefined;
  });
}
