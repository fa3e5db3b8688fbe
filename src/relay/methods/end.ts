/** `session/close` and `session/delete`: a session leaves the agent, or the world. */
import { parseParams, sessionParams } from "../../acp/schema.ts";
import { loggedReason } from "../../base/errors.ts";
import { isSessionId } from "../../base/ids.ts";
import { isRecord } from "../../base/json.ts";
import { within } from "../../base/time.ts";
import { agentOf } from "../../session/agent-ids.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { AgentFacts, SessionRecord } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import { knownIds } from "../agent/ids.ts";
import type { Binding, LiveSession } from "../live/session.ts";
import { cancelTurns, runningTurns } from "../live/turns.ts";

type Params = Readonly<Record<string, unknown>>;

/** Ends the turn as `session/cancel` does, then lets go of agent session and lease. History stays. */
export async function closeSession(ctx: RelayContext, params: unknown): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(sessionParams, "session/close", params);
  const live = ctx.sessions.byClientId(sessionId) ?? (await liveByAnotherId(ctx, sessionId));
  if (live === undefined) return {};
  const { cancelGraceMs } = ctx.options;
  await endTurns(live, cancelGraceMs);
  const { binding } = live;
  ctx.projects.forget(live);
  await ctx.holding.release(live);
  // Not only after the agent's answer: whoever wants the session back need not wait for that.
  ctx.sessions.remove(live);
  const closed = binding && (await closeAtAgent(ctx, binding, cancelGraceMs, rest));
  return answerOf(closed);
}

/** What an agent says besides that it has done it: the client's to read. */
function answerOf(result: unknown): unknown {
  const { sessionId: _, ...others } = isRecord(result) ? result : {};
  return others;
}

/** Errors: `SESSION_NOT_FOUND`. */
async function liveByAnotherId(ctx: RelayContext, sessionId: string): Promise<LiveSession | undefined> {
  const record = await ctx.holding.find(sessionId);
  if (record === undefined) throw sessionNotFound(sessionId);
  await ctx.readers.end(record.id);
  return ctx.sessions.byId(record.id);
}

/**
 * Gone from the store and from lists, for good: whoever deletes in an editor means it, and the agent is asked to delete its
 * own. What a command or the retention has put into the trash goes from there, too. Deleting the unknown succeeds.
 */
export async function deleteSession(ctx: RelayContext, params: unknown): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(sessionParams, "session/delete", params);
  const record = (await ctx.holding.find(sessionId)) ?? (await ctx.registry.trash.find(sessionId));
  if (record !== undefined) {
    await ctx.registry.sharing.require(record.id, "delete");
    await ctx.readers.end(record.id);
  }
  // To whom it is not there it is as the unknown; the agent is not to delete it either.
  else if (await ctx.registry.hidden.isStrangers(sessionId, ctx.agent.facts)) return notThere(ctx, sessionId);
  else if (isSessionId(sessionId)) notThere(ctx, sessionId);
  const live = record === undefined ? ctx.sessions.byClientId(sessionId) : ctx.sessions.byId(record.id);
  if (live !== undefined) {
    await endTurns(live, ctx.options.cancelGraceMs);
    await live.outboundIdle();
    ctx.projects.forget(live);
    ctx.sessions.remove(live);
  }
  const asked = await (record === undefined
    ? deleteTheirs(ctx, sessionId, rest)
    : deleteOurs(ctx, record, rest));
  return answerOf(asked?.result);
}

/** No error, but recorded as whatever else somebody asks for and has not. */
function notThere({ registry }: RelayContext, sessionId: string): object {
  const deed = { what: "access.refuse", session: sessionId, facts: { method: "session/delete" } } as const;
  registry.audit.noteRefused(deed, sessionNotFound(sessionId));
  return {};
}

/** Its ids are buried first. If the deletion fails halfway, a second one finds no record that names them. */
async function deleteOurs(
  ctx: RelayContext,
  record: SessionRecord,
  rest: Params,
): Promise<AtAgent | undefined> {
  for (const id of record.agentSessionIds) await ctx.registry.hidden.bury(id, agentOf(record, id));
  await ctx.registry.delete(record.id);
  const asked = await deleteAtAgent(ctx, record, rest);
  if (asked?.lists === false) await ctx.registry.hidden.unearth(asked.agentSessionId, asked.agent);
  return asked;
}

async function deleteTheirs(
  ctx: RelayContext,
  agentSessionId: string,
  rest: Params,
): Promise<AtAgent | undefined> {
  // It may be one of ours, deleted by a request that failed before that was safe.
  await ctx.registry.settle();
  const asked = await deleteAtAgent(ctx, agentSessionId, rest);
  if (asked?.lists === false) return asked;
  await ctx.registry.hidden.bury(agentSessionId, asked?.agent);
  await ctx.registry.settle();
  return asked;
}

/** Lets go of the agent's session and of the lease. The client may go on with the session at any time. */
export async function detach(ctx: RelayContext, live: LiveSession, graceMs: number): Promise<void> {
  await endTurns(live, graceMs);
  const { binding } = live;
  ctx.projects.forget(live);
  await ctx.holding.release(live);
  if (binding !== undefined) await closeAtAgent(ctx, binding, graceMs);
}

/** A prompt that comes in meanwhile is ended as well, because what it brings could not be journaled. */
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

/** Its answer, if it comes in time. `rest`: what else the client has said. */
export async function closeAtAgent(
  ctx: RelayContext,
  { run, agentSessionId }: Binding,
  waitMs = agentAnswerMs,
  rest: Params = {},
): Promise<unknown> {
  if (!run.can.close) return undefined;
  const closing = run.agent.request("session/close", { ...rest, sessionId: agentSessionId });
  return within(best(ctx, closing), waitMs);
}

/** An agent and what it calls a session. */
interface AtAgent {
  readonly agentSessionId: string;
  readonly agent: AgentFacts;
  /** Whether the agent lists sessions. It may list what it has deleted, because another of its processes may write it again. */
  readonly lists: boolean;
  /** Its answer, if it was asked to delete it and has done so in time. */
  readonly result: unknown;
}

/**
 * Returns the agent that was asked; undefined when none has come up, or another one than the session's.
 * @param session ours, which this agent may know, or the agent's own by its id there
 * @param rest what else the client has said
 */
async function deleteAtAgent(
  ctx: RelayContext,
  session: SessionRecord | string,
  rest: Params,
): Promise<AtAgent | undefined> {
  const run = await within(best(ctx, ctx.agent.run()), agentAnswerMs);
  if (run === undefined) return undefined;
  const sessionId = typeof session === "string" ? session : knownIds(ctx, session, run)[0];
  if (sessionId === undefined) return undefined;
  const deleting = run.can.delete
    ? run.agent.request("session/delete", { ...rest, sessionId })
    : Promise.resolve();
  const result = await within(best(ctx, deleting), agentAnswerMs);
  return { agentSessionId: sessionId, agent: run.facts, lists: run.can.list, result };
}

/** The session has ended here whatever the agent says. */
function best<T>(ctx: RelayContext, request: Promise<T>): Promise<T | undefined> {
  return request.catch((error: unknown) => {
    ctx.log.warn({ error: loggedReason(error, ctx.log) }, "the agent did not let go of a session");
    return undefined;
  });
}
