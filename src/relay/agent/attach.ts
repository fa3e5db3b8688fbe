/**
 * Binding a stored session to a live agent session: resume, else load with the replay swallowed, else a
 * new agent session that gets the conversation by handover. The same path carries a session to another agent.
 */
import type { AgentRun } from "../../agent/supervisor.ts";
import { acpErrors, reasonOf, SidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import { isRpcError } from "../../rpc/errors.ts";
import type { RelayContext } from "../context.ts";
import { knownId } from "./ids.ts";
import type { AgentState, Binding, LiveSession } from "../live/session.ts";
import { answeredKinds, reapplySettings } from "./settings.ts";
import { enqueueUpdates } from "./updates.ts";

/** How many agent session ids a record keeps. */
const maxAgentSessionIds = 20;

/** The session's binding to the agent that runs now. Runs in the inbound lane. Errors: `AGENT_…`, the agent's own. */
export async function attach(ctx: RelayContext, live: LiveSession, signal?: AbortSignal): Promise<Binding> {
  const run = await ctx.agent.run();
  if (live.binding?.run === run) return live.binding;
  live.swallowedState.clear();
  const known = knownId(ctx, live.record, run);
  const taken = known === undefined ? undefined : await takeUp(ctx, live, run, known, signal);
  const binding = taken ?? (await startAnew(ctx, live, run, signal));
  await noteBinding(ctx, live, binding);
  live.agentState = await reapplySettings(ctx, live.record, binding, live.agentState);
  // What the agent says of the present while it takes the session up is news, whatever it replays besides.
  // But for modes and options: the answer came behind that, and what is chosen again behind the answer.
  for (const kind of answeredKinds(live.agentState)) live.swallowedState.delete(kind);
  void enqueueUpdates(ctx, live, [...live.swallowedState.values()]);
  return binding;
}

/** What the agent needs to know of a session that is not new to the client. */
function setupParams(live: LiveSession) {
  const { cwd, additionalDirectories } = live.record;
  const more = additionalDirectories.length > 0 ? { additionalDirectories } : {};
  return { ...live.setup, cwd, ...more };
}

/** Resume or load, as the agent can. Undefined when it cannot, or does not know the session any more. */
async function takeUp(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  agentSessionId: string,
  signal: AbortSignal | undefined,
): Promise<Binding | undefined> {
  const { can } = run;
  const methods = [...(can.resume ? ["session/resume"] : []), ...(can.load ? ["session/load"] : [])];
  for (const method of methods) {
    const binding = { run, agentSessionId };
    // Bound before the answer: the replay comes first, and is ours already.
    ctx.sessions.bind(live, binding);
    live.swallowing = true;
    try {
      const params = { sessionId: agentSessionId, ...setupParams(live) };
      const result = await run.agent.request(method, params, {
        ...(signal && { signal }),
      });
      live.agentState = agentStateOf(result);
      return binding;
    } catch (error) {
      ctx.sessions.unbind(live);
      if (signal?.aborted === true || !mayTryNext(error)) throw error;
      ctx.log.info(
        { sessionId: live.id, method, error: reasonOf(error) },
        "the agent did not take the session up",
      );
    } finally {
      live.swallowing = false;
    }
  }
  return undefined;
}

/** What an agent says of a session's state. Some name the session, too, as they know it: that is nobody else's. */
export function agentStateOf(result: unknown): AgentState {
  const { sessionId: _, ...state } = isRecord(result) ? result : {};
  return state;
}

/** An agent that is gone, or wants to be logged in to, is no agent that has forgotten. */
export function mayTryNext(error: unknown): boolean {
  if (error instanceof SidecarError) return false;
  return !isRpcError(error, acpErrors.authenticationRequired);
}

async function startAnew(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  signal: AbortSignal | undefined,
): Promise<Binding> {
  const binding = await newAgentSession(ctx, live, run, signal);
  live.needsHandover = true;
  return binding;
}

/** Asks the agent for a new session and binds it at once: updates may be right behind the answer. */
async function newAgentSession(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  signal: AbortSignal | undefined,
): Promise<Binding> {
  let agentSessionId: string | undefined;
  ctx.unclaimed.expect();
  try {
    const result = await run.agent.request("session/new", setupParams(live), {
      ...(signal && { signal }),
    });
    ({ agentSessionId, agentState: live.agentState } = newSessionResult("session/new", result));
  } catch (error) {
    ctx.unclaimed.settled(undefined);
    throw error;
  }
  const binding = { run, agentSessionId };
  const early = ctx.unclaimed.settled(agentSessionId);
  ctx.sessions.bind(live, binding);
  void enqueueUpdates(ctx, live, early);
  return binding;
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
  { run, agentSessionId }: Binding,
): Promise<void> {
  const others = live.record.agentSessionIds.filter((id) => id !== agentSessionId);
  const agentSessionIds = [...others, agentSessionId].slice(-maxAgentSessionIds);
  try {
    await live.update({ agentSessionIds, agent: run.facts });
  } catch (error) {
    ctx.sessions.unbind(live);
    throw error;
  }
}
