/**
 * Binding a stored session to a live agent session: resume, else load with the replay swallowed, else a
 * new agent session that gets the conversation by handover. The same path carries a session to another agent.
 */
import type { AgentRun } from "../../agent/supervisor.ts";
import { SidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import type { RelayContext } from "../context.ts";
import { withAgentId } from "./ids.ts";
import type { Binding, LiveSession } from "../live/session.ts";
import { Recall } from "../live/recall.ts";
import { takeUp, type TakenUp } from "./take-up.ts";
import { answeredKinds, reapplySettings } from "./settings.ts";
import { enqueueUpdates } from "./updates.ts";

/** The session's binding to the agent that runs now. Runs in the inbound lane. Errors: `AGENT_…`, the agent's own. */
export async function attach(ctx: RelayContext, live: LiveSession, signal?: AbortSignal): Promise<Binding> {
  const run = await ctx.agent.run();
  if (live.binding?.run === run) return live.binding;
  live.swallowedState.clear();
  const taken =
    (await takeUp(ctx, live, run, setupParams(live), signal)) ?? (await startAnew(ctx, live, run, signal));
  await noteBinding(ctx, live, taken);
  const { binding } = taken;
  live.recall = new Recall(() => ctx.registry.read(live.id));
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

/** Asks the agent for a new session and binds it at once: updates may be right behind the answer. */
async function startAnew(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  signal: AbortSignal | undefined,
): Promise<TakenUp> {
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
  return { binding, lacksHistory: true };
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
