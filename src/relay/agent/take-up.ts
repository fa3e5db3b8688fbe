/** Taking up a session that the agent knows: by which of its ids, by resume or load, and whether a failure means that it is gone. */
import type { AgentRun } from "../../agent/supervisor.ts";
import { acpErrors, loggedReason, reasonOf, SidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import { pause } from "../../base/time.ts";
import { isRpcError } from "../../rpc/errors.ts";
import type { RelayContext } from "../context.ts";
import { Replaying } from "../live/replaying.ts";
import type { AgentState } from "../../acp/settings.ts";
import type { Binding, LiveSession } from "../live/session.ts";
import { knownIds } from "./ids.ts";
import { listedBy } from "./listed.ts";
import { recallOf } from "./replayed.ts";

/** A failure that does not say what it means may pass: it is tried again after these pauses. */
const retryPausesMs = [100, 400];

export interface TakenUp {
  readonly binding: Binding;
  /** The agent has the session, but not all of the conversation. */
  readonly lacksHistory: boolean;
  /** It has never had any of it: whatever is in its session comes from elsewhere. */
  readonly beganEmpty: boolean;
}

type Params = Readonly<Record<string, unknown>>;

/** What came of asking by one id; `unclear`: it failed again and again, and the agent does not list what it has. */
type Outcome = "taken" | "taken, but empty" | "gone" | "unclear";

/** Whether an agent can go on with a session that it was given before. */
export function canTakeUp({ can }: AgentRun): boolean {
  return can.resume || can.load;
}

/**
 * Every id by which the agent knew the session, newest first. Undefined when the agent has it no more, or can neither
 * resume nor load. Errors: the agent's own when it has the session and fails all the same, `AGENT_…`.
 */
export async function takeUp(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  params: Params,
  signal: AbortSignal | undefined,
): Promise<TakenUp | undefined> {
  const methods = methodsOf(run);
  if (methods.length === 0) return undefined;
  // The newest may still be owed the conversation; then an older one may have all of it.
  const { owesHandoverTo } = live.record.settings;
  let hasNewer = false;
  for (const agentSessionId of knownIds(ctx, live.record, run)) {
    if (live.lostIds.has(agentSessionId)) continue;
    const binding = { run, agentSessionId };
    let outcome = await takeUpBy(ctx, live, binding, methods, params, signal);
    // It has said so of another that it did not have, and this one it does not replay either.
    if (outcome === "taken, but empty" && live.lostIds.size > 0) {
      ctx.sessions.unbind(live);
      outcome = "gone";
    }
    if (outcome === "taken" || outcome === "taken, but empty") {
      const beganEmpty = agentSessionId === owesHandoverTo;
      const lacksHistory = beganEmpty || hasNewer || outcome !== "taken";
      return { binding, lacksHistory, beganEmpty };
    }
    ctx.log.info({ sessionId: live.id, agentSessionId, outcome }, "the agent did not take the session up");
    if (outcome === "unclear") return undefined;
    hasNewer ||= agentSessionId !== owesHandoverTo;
  }
  return undefined;
}

/** A session that the agent has, with another setup; whether it has taken that. Errors: as `takeUp`. */
export async function takeUpAgain(
  ctx: RelayContext,
  live: LiveSession,
  binding: Binding,
  params: Params,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const outcome = await takeUpBy(ctx, live, binding, methodsOf(binding.run), params, signal);
  return outcome === "taken" || outcome === "taken, but empty";
}

function methodsOf({ can }: AgentRun): string[] {
  return [...(can.resume ? ["session/resume"] : []), ...(can.load ? ["session/load"] : [])];
}

async function takeUpBy(
  ctx: RelayContext,
  live: LiveSession,
  binding: Binding,
  methods: readonly string[],
  params: Params,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  for (const pauseMs of [...retryPausesMs, undefined]) {
    let failure: unknown;
    for (const method of methods) {
      const asked = await ask(ctx, live, binding, method, params, signal);
      if (typeof asked === "string") return asked;
      ({ failure } = asked);
    }
    if (isGone(failure)) return "gone";
    const isListed = await lists(live, binding, signal);
    if (isListed === false) return "gone";
    if (pauseMs !== undefined) await pause(pauseMs, signal);
    else if (isListed === true) throw failure;
  }
  return "unclear";
}

/** Whether the agent has the session by its own list; undefined when it does not say. */
async function lists(
  live: LiveSession,
  { run, agentSessionId }: Binding,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  if (!run.can.list) return undefined;
  return listedBy(run, live.record.cwd, agentSessionId, signal).then(
    (listed) => listed !== undefined,
    () => undefined,
  );
}

/** The session is bound, or the reason why not. Errors: those that would be the same for any id. */
async function ask(
  ctx: RelayContext,
  live: LiveSession,
  binding: Binding,
  method: string,
  params: Params,
  signal: AbortSignal | undefined,
): Promise<"taken" | "taken, but empty" | { readonly failure: unknown }> {
  // Bound before the answer: the replay comes first, and is ours already.
  ctx.sessions.bind(live, binding);
  ctx.sessions.children.mayHaveEarlier(live);
  const replaying = new Replaying();
  live.replaying = replaying;
  live.recall = recallOf(ctx, live, "swallow");
  try {
    const { run, agentSessionId: sessionId } = binding;
    const result = await run.agent.request(method, { sessionId, ...params }, { ...(signal && { signal }) });
    live.agentState = agentStateOf(result);
    if (method !== "session/load" || replaying.hasBegun || !(await hasTurns(ctx, live))) return "taken";
    if (live.recall !== undefined) live.recall.isLate = true;
    await replaying.untilLateEnd();
    return replaying.hasBegun ? "taken" : "taken, but empty";
  } catch (error) {
    ctx.sessions.unbind(live);
    live.recall = undefined;
    if (signal?.aborted === true || !mayTryNext(error)) throw error;
    ctx.log.info(
      { sessionId: live.id, method, error: loggedReason(error, ctx.log) },
      "the agent failed to take it up",
    );
    return { failure: error };
  } finally {
    live.replaying = undefined;
  }
}

/** Whether there is something that an agent could replay. */
async function hasTurns({ registry }: RelayContext, { id }: LiveSession): Promise<boolean> {
  for await (const page of registry.counting(id)) {
    if (page.some(({ kind }) => kind === "prompt" || kind === "message")) return true;
  }
  return false;
}

/** What an agent says of a session's state. Some name the session, too, as they know it: that is nobody else's. */
export function agentStateOf(result: unknown): AgentState {
  const { sessionId: _, ...state } = isRecord(result) ? result : {};
  return state;
}

/** An agent that is gone or wants a login has not forgotten the session. */
export function mayTryNext(error: unknown): boolean {
  if (error instanceof SidecarError) return false;
  return !isRpcError(error, acpErrors.authenticationRequired);
}

/** By its code, or by what it says: not every agent has learned the code. */
function isGone(error: unknown): boolean {
  if (isRpcError(error, acpErrors.resourceNotFound)) return true;
  return /\b(not found|unknown session|no such session|does not exist)\b/i.test(reasonOf(error));
}
