/**
 * Binding a stored session to a live agent session: resume, else load with the replay swallowed, else a
 * new agent session that gets the conversation by handover. The same path carries a session to another agent.
 */
import type { AgentRun } from "../../agent/supervisor.ts";
import { loggedReason, SidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import { isSameAgent } from "../../session/agent-ids.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import type { RelayContext } from "../context.ts";
import { withAgentId } from "./ids.ts";
import type { Binding, LiveSession } from "../live/session.ts";
import { isAtWork } from "../live/turns.ts";
import { canTakeUp, mayTryNext, takeUp, takeUpAgain, type TakenUp } from "./take-up.ts";
import { chooseAgain, type How } from "./choose-again.ts";
import { DiedChoosing } from "./reapply.ts";
import { concludeReplay } from "./replayed.ts";
import { answeredKinds } from "../../acp/settings.ts";
import { setupKey, setupParams } from "./setup.ts";
import { enqueueUpdates, takeUpdates } from "./updates.ts";

/** How often an agent may die while it is given what was chosen: the second time of one thing, that is left out. */
const maxDeaths = 3;

/** The session's binding to the agent that runs now. Runs in the inbound lane. Errors: `AGENT_…`, the agent's own. */
export async function attach(
  ctx: RelayContext,
  live: LiveSession,
  request: Pick<RequestContext, "signal">,
): Promise<Binding> {
  const deaths = new Map<string, number>();
  const before = live.agentState;
  for (let died = 1; ; died += 1) {
    const skip = new Set([...deaths].filter(([, count]) => count > 1).map(([key]) => key));
    try {
      const run = await ctx.agent.run();
      if (live.binding?.run === run) return await renew(ctx, live, live.binding, request);
      return await attachTo(ctx, live, run, { before, skip }, request.signal);
    } catch (error) {
      if (!(error instanceof DiedChoosing)) throw error;
      ctx.sessions.unbind(live);
      if (died === maxDeaths) throw error.cause;
      deaths.set(error.key, (deaths.get(error.key) ?? 0) + 1);
    }
  }
}

async function attachTo(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  how: Omit<How, "isSameAgent">,
  signal: AbortSignal | undefined,
): Promise<Binding> {
  live.swallowedState.clear();
  live.recall = undefined;
  const params = await setupParams(ctx, live, run);
  const isSame = isSameAgent(live.record.agent, run.facts);
  const taken =
    (await takeUp(ctx, live, run, params, signal)) ?? (await startAnew(ctx, live, run, params, signal));
  noteSetup(live, params);
  await settle(ctx, live, taken, { ...how, isSameAgent: isSame });
  return taken.binding;
}

function noteSetup(live: LiveSession, params: Readonly<Record<string, unknown>>): void {
  live.givenSetup = setupKey(params);
  live.isLoadedAnew = false;
}

/**
 * A session that its agent has, and that was loaded again: MCP servers with new credentials or other folders reach the
 * agent, and so does what it has not taken yet. Not while it is at work: then the next request brings it.
 */
async function renew(
  ctx: RelayContext,
  live: LiveSession,
  binding: Binding,
  request: Pick<RequestContext, "signal">,
): Promise<Binding> {
  if (!live.isLoadedAnew || isAtWork(live)) return binding;
  const params = await setupParams(ctx, live, binding.run);
  const isSame = setupKey(params) === live.givenSetup;
  noteSetup(live, params);
  const how = { before: live.agentState, isSameAgent: true, skip: new Set<string>() };
  if (!isSame && canTakeUp(binding.run)) {
    live.swallowedState.clear();
    const taken = await askAgain(ctx, live, binding, params, request.signal);
    if (taken !== undefined) await settle(ctx, live, taken, how);
  } else {
    if (!isSame)
      ctx.log.warn({ sessionId: live.id }, "the agent cannot be told of another setup of the session");
    if (live.record.settings.owesSettings !== undefined) await chooseAgain(ctx, live, binding, how);
  }
  return binding;
}

/** What the agent refuses leaves the session as it has it. Errors: `AGENT_…`, that it wants a login. */
async function askAgain(
  ctx: RelayContext,
  live: LiveSession,
  binding: Binding,
  params: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
): Promise<TakenUp | undefined> {
  const lacksHistory = live.owesHandover;
  let reason = "it does not know the session by this id";
  try {
    if (await takeUpAgain(ctx, live, binding, params, signal))
      return { binding, lacksHistory, beganEmpty: lacksHistory };
  } catch (error) {
    if (error instanceof SidecarError) throw error;
    if (signal?.aborted === true || !mayTryNext(error)) {
      live.isLoadedAnew = true;
      ctx.sessions.bind(live, binding);
      throw error;
    }
    reason = loggedReason(error, ctx.log);
  }
  ctx.sessions.bind(live, binding);
  ctx.log.warn({ sessionId: live.id, error: reason }, "the agent did not take another setup of the session");
  return undefined;
}

/** What there is to be done when the agent has the session. */
async function settle(ctx: RelayContext, live: LiveSession, taken: TakenUp, how: How): Promise<void> {
  await noteBinding(ctx, live, taken);
  const { recall } = live;
  if (recall !== undefined) void live.outbound(() => concludeReplay(ctx, live, recall, taken));
  const applied = await chooseAgain(ctx, live, taken.binding, how);
  // What the agent says of the present while it takes the session up is news, whatever it replays besides.
  // Modes and options excepted: the answer came after those, and what is chosen again comes after the answer.
  for (const kind of [...answeredKinds(live.agentState), ...applied]) live.swallowedState.delete(kind);
  void enqueueUpdates(ctx, live, [...live.swallowedState.values()]);
}

/** Asks the agent for a new session and binds it at once: updates may come right after the answer. */
async function startAnew(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  params: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
): Promise<TakenUp> {
  let agentSessionId: string | undefined;
  ctx.unclaimed.expect();
  try {
    const result = await run.agent.request("session/new", params, { ...(signal && { signal }) });
    ({ agentSessionId, agentState: live.agentState } = newSessionResult("session/new", result));
  } catch (error) {
    ctx.unclaimed.settled(undefined);
    throw error;
  }
  const binding = { run, agentSessionId };
  const early = ctx.unclaimed.settled(agentSessionId);
  ctx.sessions.bind(live, binding);
  void takeUpdates(ctx, early);
  return { binding, lacksHistory: true, beganEmpty: true };
}

/** An agent's answer to `session/new` or `session/fork`, taken apart. Errors: `AGENT_PROTOCOL`. */
export function newSessionResult(method: string, result: unknown) {
  if (!isRecord(result) || typeof result.sessionId !== "string") {
    throw new SidecarError("AGENT_PROTOCOL", `The agent answered ${method} without a session id`);
  }
  const { sessionId: agentSessionId, ...agentState } = result;
  return { agentSessionId, agentState };
}

/** A binding that the record does not know would be forgotten: the next request attaches again. */
async function noteBinding(
  ctx: RelayContext,
  live: LiveSession,
  { binding, lacksHistory }: TakenUp,
): Promise<void> {
  const { run, agentSessionId } = binding;
  try {
    await live.update({ ...withAgentId(live.record, run, agentSessionId, lacksHistory), agent: run.facts });
  } catch (error) {
    ctx.sessions.unbind(live);
    throw error;
  }
}
