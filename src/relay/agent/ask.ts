/** A client's request on its way to the agent. */
import type { AgentRun } from "../../agent/supervisor.ts";
import { acpErrors, isSidecarError } from "../../base/errors.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { isRecord } from "../../base/json.ts";
import { isRpcError } from "../../rpc/errors.ts";
import type { RequestId } from "../../rpc/messages.ts";
import { attach } from "./attach.ts";
import type { RelayContext } from "../context.ts";
import type { Binding, LiveSession } from "../live/session.ts";

/** An agent that dies within this time without another word had not taken the request up. */
const unheardMs = 1000;

/** Sends it at once; cancelling the client's request cancels this one. Rejects as the agent answers. */
export async function askAgent(
  ctx: RelayContext,
  run: AgentRun,
  method: string,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  let agentsId: RequestId | undefined;
  const onSent = (id: RequestId) => {
    agentsId = id;
    ctx.forwarded.set(id, request.id);
  };
  try {
    const { onCancel, passedOn: onTaken } = request;
    return await run.agent.request(method, params, { onCancel, onSent, onTaken });
  } finally {
    if (agentsId !== undefined) ctx.forwarded.delete(agentsId);
  }
}

/** What to ask the agent session; undefined when there is nothing to be asked any more. */
type Compose = (binding: Binding) => Promise<Readonly<Record<string, unknown>> | undefined>;

export interface Asked {
  /** Undefined when `compose` had nothing to ask. */
  readonly answer: Promise<unknown> | undefined;
}

/**
 * Attaches the session and asks, in the order of the client's messages; settles when the request is sent.
 * A request that went to an agent that was dead already is sent once more, to the next run; one that the agent does
 * not know the session of, once more when it has been taken up again, and then in a new session of the agent's.
 */
export async function askSession(
  ctx: RelayContext,
  live: LiveSession,
  method: string,
  request: RequestContext,
  compose: Compose,
): Promise<Asked> {
  const ask = () => live.inbound.run(() => attachAndAsk(ctx, live, method, request, compose));
  let hasDied = false;
  let forgotten: string | undefined;
  let triesLeft = 3;
  const isLetGo = async (error: unknown, binding: Binding, hasSaid: Sent["hasSaid"]) =>
    isForgotten(error, binding) || (forgotten === undefined && isBareRefusal(error) && !(await hasSaid()));
  const settled = async ({ binding, answer, wasUnheard, hasSaid }: Sent): Promise<unknown> => {
    try {
      return await answer;
    } catch (error) {
      if (isSidecarError(error, "AGENT_EXITED") && wasUnheard() && !hasDied) {
        hasDied = true;
        ctx.log.info({ sessionId: live.id, method }, "the agent had died unseen: asking its successor");
      } else if (live.binding === binding && triesLeft > 0 && (await isLetGo(error, binding, hasSaid))) {
        triesLeft -= 1;
        // The second time: it answers as if it had the session, and has not.
        if (binding.agentSessionId === forgotten) live.lostIds.add(forgotten);
        forgotten = binding.agentSessionId;
        ctx.sessions.unbind(live);
        ctx.log.warn({ sessionId: live.id, method }, "the agent has let the session go: attaching it again");
      } else throw error;
      return settled(await ask());
    }
  };
  const sent = await ask();
  return { answer: sent.answer && settled(sent) };
}

async function attachAndAsk(
  ctx: RelayContext,
  live: LiveSession,
  method: string,
  request: RequestContext,
  compose: Compose,
): Promise<Sent> {
  const binding = await attach(ctx, live, request);
  const params = await compose(binding);
  const { run, agentSessionId } = binding;
  const [received, sentAtMs] = [run.agent.received, performance.now()];
  // Before it is sent: where the session is lost, nothing is, and nobody's answer comes to nobody.
  const head = live.journal.headSeq;
  const answer = params && askAgent(ctx, run, method, { sessionId: agentSessionId, ...params }, request);
  const wasUnheard = () => run.agent.received === received && performance.now() - sentAtMs < unheardMs;
  const hasSaid = () => live.outboundIdle().then(() => live.journal.headSeq !== head);
  return { binding, answer, wasUnheard, hasSaid };
}

interface Sent {
  readonly binding: Binding;
  readonly answer: Promise<unknown> | undefined;
  /** The agent has said nothing since, and not much time has passed. */
  readonly wasUnheard: () => boolean;
  /** Something has been told of the session since. */
  readonly hasSaid: () => Promise<boolean>;
}

/** -32002 is said of anything that is not there: of the session only if it is named, or the word. */
function isForgotten(error: unknown, { agentSessionId }: Binding): boolean {
  if (!isRpcError(error, acpErrors.resourceNotFound)) return false;
  const { message, data } = error;
  if (/session/i.test(message) || message.includes(agentSessionId)) return true;
  return isRecord(data) && Object.values(data).includes(agentSessionId);
}

/**
 * Not found, and nothing is said of what ("Resource not found", "gone"): it may be the session, which is worth one try;
 * it is not given up for that.
 */
function isBareRefusal(error: unknown): boolean {
  if (!isRpcError(error, acpErrors.resourceNotFound)) return false;
  const { message, data } = error;
  const said = [message, data, ...(isRecord(data) ? Object.values(data) : [])];
  return !said.some((each) => typeof each === "string" && isNaming(each));
}

/** A path, an address, something in quotes or after a colon. */
function isNaming(text: string): boolean {
  return /[/\\"'`:]|\.\w/.test(text);
}
